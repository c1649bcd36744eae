import { defineSettings, duration, setting, size, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

const count = () => z.coerce.number().int().min(1);

/** How many may follow what happens, and how far each may fall behind. */
export const realtimeSettings = defineSettings({
  connections: setting('WEBSOCKET_CONNECTIONS', count().default(5_000), {
    description: 'The most WebSockets of a process; further ones are answered with 503.',
  }),
  connectionsPerCaller: setting('WEBSOCKET_CONNECTIONS_PER_CALLER', count().default(1_000), {
    description: 'The most WebSockets of one API key or person in a process; further ones are answered with 429.',
  }),
  messageSize: setting('WEBSOCKET_MESSAGE_SIZE', size({ min: '1KiB', max: '1MiB' }).default(16 * 2 ** 10), {
    description: 'The largest message of a client; a larger one closes its WebSocket with 1009.',
  }),
  heartbeatMs: setting('WEBSOCKET_HEARTBEAT', duration({ min: '100ms', max: '10m' }).default(30_000), {
    description:
      'How often each WebSocket carries a ping and a heartbeat. A peer that lets a whole interval pass without a pong is dropped. Keep it below the idle time limit of the proxy in front (nginx: 60s).',
  }),
  backlog: setting('WEBSOCKET_BACKLOG', count().max(1_000_000).default(10_000), {
    description: 'A client that is more events behind than this is closed with 1013, and may resume.',
  }),
  backlogSize: setting('WEBSOCKET_BACKLOG_SIZE', size({ min: '64KiB' }).default(16 * 2 ** 20), {
    description:
      'How much of the latest events a process keeps in memory, once for all its clients; older ones are read again.',
  }),
  replay: setting('WEBSOCKET_REPLAY', count().default(50_000), {
    description: 'A client that was away for more events than this is told to load everything anew instead.',
  }),
});

export type RealtimeSettings = SettingsOf<typeof realtimeSettings>;
