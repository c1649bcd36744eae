import { AsyncResource } from 'node:async_hooks';
import { type Attributes, trace } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

/** Modules that have to be caught as they are imported. `fetch` and undici tell of themselves by diagnostics channels. */
export const hookedModules = ['http', 'https', 'node:http', 'node:https', 'pg', 'pg-pool', 'ioredis'];

/**
 * Outgoing HTTP, PostgreSQL and Redis. A span is only made within another: polling and health checks are not traced.
 *
 * Requests that come in are traced by {@link traceRequests}, which knows their routes beforehand and costs a quarter of
 * what instrumentation-http does: that one took 25 µs of each request, sampled or not.
 */
export function instrumentations(): Instrumentation[] {
  const pg = new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true });
  onlyWhereRecorded(pg, '_getClientQueryPatch');
  onlyWhereRecorded(pg, '_getPoolConnectPatch', { callback: withinItsContext });
  countNothing(pg);
  const ioredis = new IORedisInstrumentation({ requireParentSpan: true });
  onlyWhereRecorded(ioredis, '_patchSendCommand');
  return [
    new HttpInstrumentation({
      disableIncomingRequestInstrumentation: true,
      requireParentforOutgoingSpans: true,
      startOutgoingSpanHook: ({ protocol, hostname, host, port }) =>
        withoutPath(`${protocol ?? 'http:'}//${hostname ?? host ?? 'localhost'}${port ? `:${port}` : ''}`),
    }),
    new UndiciInstrumentation({
      requireParentforSpans: true,
      startSpanHook: ({ origin }) => withoutPath(origin),
    }),
    pg,
    ioredis,
  ];
}

/** The path of a webhook is its secret: of an outgoing request only the server is told. */
function withoutPath(origin: string): Attributes {
  return { 'url.full': origin, 'url.path': undefined, 'url.query': undefined };
}

/** It would count a pool's connections at each of their changes, for meters that nobody reads: eyrie/database has its own. */
function countNothing(pg: object): void {
  const methods = pg as { _setPoolConnectEventListeners?: () => void };
  if (!methods._setPoolConnectEventListeners) throw new Error('PgInstrumentation has no _setPoolConnectEventListeners');
  methods._setPoolConnectEventListeners = () => undefined;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * The instrumentations collect a span's attributes before they learn that it is not recorded, which would cost each
 * query of an unsampled request 8 µs. Here such a call goes straight to the original.
 *
 * `factory` is the instrumentation's own method that makes a traced method from the original; `callback` is done to the
 * callback of each call.
 */
function onlyWhereRecorded(
  instrumentation: object,
  factory: string,
  { callback }: { callback?: (given: Method) => Method } = {},
): void {
  const methods = instrumentation as Record<string, (...args: unknown[]) => (original: Method) => Method>;
  const make = methods[factory];
  if (!make) throw new Error(`${instrumentation.constructor.name} has no ${factory} any more`);
  methods[factory] = (...args) => {
    const wrap = make.apply(instrumentation, args);
    return (original) => {
      const traced = wrap(original);
      return function (this: unknown, ...given) {
        const last = given.at(-1);
        if (callback && typeof last === 'function') given[given.length - 1] = callback(last as Method);
        return (trace.getActiveSpan()?.isRecording() ? traced : original).apply(this, given);
      };
    };
  };
}

/**
 * A pool hands a connection over in the context of whoever gives it back: without this the query of one request would
 * appear in the trace of another. As `AsyncResource.bind`, which takes three times as long to give the function its length.
 */
function withinItsContext(callback: Method): Method {
  const resource = new AsyncResource('pg-pool.connect');
  return function (this: unknown, ...args) {
    return resource.runInAsyncScope(callback, this, ...args);
  };
}
