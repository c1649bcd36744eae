import { AsyncResource } from 'node:async_hooks';
import { type Attributes, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
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
  replace(pg, '_getPoolConnectPatch', () => keepTracesApart);
  // It would count a pool's connections at each of their changes, for meters that nobody reads: eyrie/database has its own.
  replace(pg, '_setPoolConnectEventListeners', () => undefined);
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

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Replaces a method of the instrumentation's own, which it has to have still. */
function replace(instrumentation: object, name: string, by: Method): Method {
  const methods = instrumentation as Record<string, Method>;
  const original = methods[name];
  if (!original) throw new Error(`${instrumentation.constructor.name} has no ${name} any more`);
  methods[name] = by;
  return original;
}

/**
 * The instrumentations collect a span's attributes before they learn that it is not recorded, which would cost each
 * query of an unsampled request 8 µs. Here such a call goes straight to the original.
 *
 * `factory` is the instrumentation's own method that makes a traced method from the original.
 */
function onlyWhereRecorded(instrumentation: object, factory: string): void {
  const make = replace(instrumentation, factory, (...args) => {
    const wrap = make.apply(instrumentation, args) as (original: Method) => Method;
    return (original: Method): Method => {
      const traced = wrap(original);
      return function (this: unknown, ...given) {
        return (trace.getActiveSpan()?.isRecording() ? traced : original).apply(this, given);
      };
    };
  });
}

/** Of node-postgres' pool, what matters here. */
interface PoolClient {
  release: (error?: unknown) => void;
}
type Connected = (error: unknown, client: PoolClient | undefined, release: unknown) => unknown;
type Connect = (this: unknown, callback?: Connected) => Promise<PoolClient> | undefined;

/**
 * A pool hands a connection over in the context of whoever gives it back, and the query of one request would appear in the
 * trace of another. So who is recorded opens connections and gives them back outside of all traces, and takes them within
 * its own. The others have nothing that could appear.
 */
function keepTracesApart(connect: Connect): Connect {
  return function (callback) {
    if (!trace.getActiveSpan()?.isRecording()) return connect.call(this, callback);
    const taken: Connected | undefined =
      callback &&
      AsyncResource.bind((error, client) => callback(error, client && givenBackOutside(client), client?.release));
    const connecting = outside(() => connect.call(this, taken));
    return connecting?.then(givenBackOutside);
  };
}

function givenBackOutside(client: PoolClient): PoolClient {
  const { release } = client;
  client.release = (error) => outside(() => release(error));
  return client;
}

function outside<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, work);
}
