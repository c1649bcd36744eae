import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { RunningHandlers } from './running-handlers.js';

/**
 * Answers 503 for a handler that has not begun to answer within the limit; its route is logged. The time counts from
 * when the whole request is there. The handler itself is not stopped: its answer comes too late and is dropped. A stream
 * that has begun, a hijacked reply and an upgraded connection may take as long as they like.
 *
 * All have the same limit, so they expire in the order in which they came: one timer serves them all. Fastify's own
 * `handlerTimeout` costs a timer and an AbortController for each request, and breaks off streams.
 */
export function limitHandlers(fastify: FastifyInstance, limitMs: number): void {
  const running = new RunningHandlers();
  const sweep = () => {
    for (const { request, reply } of running.takeBegunBefore(performance.now() - limitMs)) {
      if (!reply.sent && !reply.raw.headersSent && !reply.raw.destroyed) reply.send(tooSlow(request, limitMs));
    }
  };
  const timer = setInterval(sweep, Math.min(500, limitMs / 10));
  timer.unref();
  fastify.addHook('preHandler', (request, reply, done) => {
    running.add(request, reply);
    done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    running.delete(reply);
    done(null, payload);
  });
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
}

function tooSlow({ method, routeOptions }: FastifyRequest, limitMs: number): Problem {
  return new Problem(503, 'handler-timeout', 'The answer takes too long', {
    headers: { 'Retry-After': '1' },
    // A problem with a cause is logged.
    cause: new Error(`${method} ${routeOptions.url} took longer than ${limitMs} ms (HANDLER_TIMEOUT)`),
  });
}
