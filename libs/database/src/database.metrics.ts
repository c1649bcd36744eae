import { gauge } from 'eyrie/metrics';
import type { Database } from './database.js';

export const connectionsActive = gauge({
  name: 'database_connections_active',
  help: 'Connections of the pool that are in use.',
});
export const connectionsIdle = gauge({
  name: 'database_connections_idle',
  help: 'Connections of the pool that are open and free.',
});
export const connectionsWaiting = gauge({
  name: 'database_connections_waiting',
  help: 'Callers that wait for a connection of the pool.',
});
export const connectionsMax = gauge({
  name: 'database_connections_max',
  help: 'The most connections that the pool may open.',
});

/** Reads the pool on each scrape; the returned function ends that. */
export function measureConnections(database: Pick<Database, 'connections'>): () => void {
  const forget = [
    connectionsActive.collectFrom(() => database.connections.active),
    connectionsIdle.collectFrom(() => database.connections.idle),
    connectionsWaiting.collectFrom(() => database.connections.waiting),
    connectionsMax.collectFrom(() => database.connections.max),
  ];
  return () => forget.forEach((end) => end());
}
