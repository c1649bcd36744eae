import { afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../../harness/eventually.ts';
import { LiveClient } from './live-client.ts';

let server: WebSocketServer;
let client: LiveClient;

/** A client of a server that meets its connections one after the other, each with what was asked of it. */
async function clientOf(...meetings: ((socket: WebSocket, after: string | undefined) => void)[]): Promise<void> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'eyrie' });
  await new Promise((listening) => server.once('listening', listening));
  server.on('connection', (socket) => {
    const meet = meetings.shift();
    socket.once('message', (data: Buffer) => meet?.(socket, (JSON.parse(data.toString()) as { after?: string }).after));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new LiveClient('client 1', { url, ingestKey: '', operatorKey: 'operator' });
  client.connect();
}

const tell = (socket: WebSocket, ...messages: object[]) => {
  for (const message of messages) socket.send(JSON.stringify(message));
};
const event = (id: number) => ({ type: 'alert.fired', id: String(id), data: {} });
const hello = (id: number, heartbeatMs = 10_000) => ({ type: 'hello', id: String(id), heartbeatMs });

afterEach(() => {
  client.end();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

describe('a client of live events', () => {
  it('H10: comes back when it was told to, after what it saw last', async () => {
    let asked: string | undefined;
    await clientOf(
      (socket) => {
        tell(socket, hello(5), event(6), event(8), { type: 'restart', id: '8', retryInMs: 20 });
        socket.close(1012);
      },
      (socket, after) => {
        asked = after;
        tell(socket, hello(8), event(9));
      },
    );
    await eventually(() => client.seen.length === 3);
    expect(asked).toBe('8');
    expect(client).toMatchObject({ since: 5, seen: [6, 8, 9], connections: 2, resets: 0, knows: 9 });
  });

  it('H10: comes back from a broken connection, and from one that has gone silent', async () => {
    await clientOf(
      (socket) => {
        tell(socket, hello(0), event(1));
        setTimeout(() => socket.terminate(), 50);
      },
      (socket) => tell(socket, hello(1, 40), event(2)),
      (socket) => tell(socket, hello(2), event(3)),
    );
    await eventually(() => client.seen.length === 3);
    expect(client).toMatchObject({ seen: [1, 2, 3], connections: 3 });
  });

  it('H10: keeps what came again or was missed for good, for the judge', async () => {
    await clientOf((socket) => tell(socket, hello(0), event(1), event(1), { ...hello(7), type: 'reset' }));
    await eventually(() => client.resets === 1);
    expect(client.seen).toEqual([1, 1]);
  });
});
