import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance } from 'fastify';
import { counter, gauge } from 'eyrie/metrics';
import { AdmissionQueue } from './admission-queue.js';
import { OverloadWatch } from './overload.js';
import { Problem } from './problem.js';

const shedTotal = counter({
  name: 'server_requests_shed_total',
  help: 'Requests that were answered with 503 because there were too many.',
});
const delaySeconds = gauge({
  name: 'server_event_loop_delay_seconds',
  help: 'How late the event loop came to its work when it was last measured, at most a tenth of a second ago.',
  aggregate: 'max',
});
const waitingRequests = gauge({
  name: 'server_requests_waiting',
  help: 'Requests that wait until the event loop has time for them.',
});

/**
 * Refuses requests with 503 and `Retry-After` while the event loop is late, and those that have waited for so long, but
 * never what is exempt, as probes are.
 */
export function shedLoad(fastify: FastifyInstance, limitMs: number, isExempt: (route: string) => boolean): void {
  const watch = new OverloadWatch(limitMs);
  const queue = new AdmissionQueue({ limitMs, isLate: () => watch.overloaded });
  const stopMeasuring = [
    delaySeconds.collectFrom(() => watch.delayMs / 1_000),
    waitingRequests.collectFrom(() => queue.size),
  ];
  fastify.addHook('onClose', (_instance, done) => {
    for (const stop of stopMeasuring) stop();
    watch.close();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if ((route !== undefined && isExempt(route)) || queue.mayPass()) return done();
    const proceed = AsyncLocalStorage.bind(done); // within the context of this request, and not of who is before it
    queue.wait({
      admit: () => proceed(),
      refuse() {
        shedTotal.inc();
        proceed(new Problem(503, 'overloaded', 'The server is overloaded', { headers: { 'Retry-After': '1' } }));
      },
      isGone: () => reply.raw.destroyed,
    });
  });
}
