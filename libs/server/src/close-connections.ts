import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Lifecycle } from 'eyrie/lifecycle';
import type { FastifyInstance } from 'fastify';

export interface CloseOptions {
  /** After this whatever is still in flight is cut off. */
  limitMs: number;
  lifecycle?: Pick<Lifecycle, 'onStateChange'>;
  /** How long after draining began connections that are idle stay open; read when the server closes. */
  graceMs?: () => number;
}

const sweepMs = 50;

/**
 * When the server closes, connections are closed as they fall idle, and after a time limit with whatever is still in
 * flight. Node by itself closes those idle at the beginning, then waits for the others as long as they like, and for
 * those that never sent anything, as load balancers open them in advance.
 *
 * An idle connection may have a request on its way. While there is a grace, clients can use it, and are then told to
 * close the connection themselves, which cannot cross with anything.
 */
export function closeConnections(fastify: FastifyInstance, { limitMs, lifecycle, graceMs }: CloseOptions): void {
  const { server } = fastify;
  const connections = new Set<Socket>();
  let drainingSince: number | undefined;
  lifecycle?.onStateChange((state) => {
    if (state === 'draining') drainingSince = performance.now();
  });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
  fastify.addHook('preClose', async () => {
    const until = (drainingSince ?? performance.now()) + (graceMs?.() ?? 0);
    while (connections.size > 0 && performance.now() < until) await sleep(sweepMs);
    // What has arrived by now is read in this turn of the event loop, and its connection is then no longer idle.
    await nextTurn();
    await nextTurn();
    const sweep = setInterval(() => setImmediate(closeIdle), sweepMs);
    const limit = setTimeout(() => server.closeAllConnections(), limitMs);
    server.once('close', () => {
      clearInterval(sweep);
      clearTimeout(limit);
    });
  });
}
