import { counter, gauge } from 'eyrie/metrics';

export const connectionsActive = gauge({
  name: 'websocket_connections_active',
  help: 'WebSockets that are open.',
});

export const messagesSent = counter({
  name: 'websocket_messages_sent_total',
  help: 'Messages sent on WebSockets: events, and what else the protocol has (control).',
  labels: ['kind'],
});

/** Why the server gave a client up; a restart is no such reason. */
export type DropReason = 'slow' | 'dead' | 'protocol' | 'credential' | 'unavailable';

export const clientsDropped = counter({
  name: 'websocket_clients_dropped_total',
  help: 'WebSockets that the server closed: the client was too slow, dead, broke the protocol, lost its right, or could not be served.',
  labels: ['reason'],
});
