import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.js';
import { OtlpReceiver, type ReceivedSpan } from '../harness/otlp-receiver.js';
import { testDatabase, type TestDatabase } from '../harness/postgres.js';
import { Receiver } from '../harness/receiver.js';
import { REDIS_LIMIT_MS, testRedis, type TestRedis } from '../harness/redis.js';

const root = join(import.meta.dirname, '../..');
const fixtures = join(root, 'test/fixtures/tracing');
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const unsampled = '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00';

let database: TestDatabase;
let redis: TestRedis;
let webhook: Receiver;
const running = new Set<ChildProcess>();
const collectors = new Set<OtlpReceiver>();

beforeAll(async () => {
  database = await testDatabase({ empty: true });
  redis = await testRedis();
  webhook = await Receiver.start();
}, REDIS_LIMIT_MS);

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await Promise.all([...collectors].map((collector) => collector.close()));
  collectors.clear();
});

afterAll(async () => {
  await webhook.close();
  await database.drop();
});

async function collect(protocol: 'grpc' | 'http', port?: number): Promise<OtlpReceiver> {
  const collector = await OtlpReceiver.start(protocol, port);
  collectors.add(collector);
  return collector;
}

/** The app of the fixture, in a process of its own. */
class App {
  output = '';
  readonly exit: Promise<number | string>;
  private readonly child: ChildProcess;

  constructor(env: Record<string, string>, ...imports: string[]) {
    const loader = ['--import', join(root, 'libs/lifecycle/fixtures/typescript.mjs')];
    const more = imports.flatMap((file) => ['--import', join(fixtures, file)]);
    this.child = spawn(
      process.execPath,
      ['--conditions=source', ...more, ...loader, join(fixtures, 'main.ts'), database.url, redis.url, webhook.url],
      { cwd: fixtures, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    running.add(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exit = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  static async traced(collector: Pick<OtlpReceiver, 'protocol' | 'endpoint'>, env: Record<string, string> = {}) {
    const app = new App({
      ENVIRONMENT: 'test',
      TRACING_ENABLED: 'true',
      TRACE_SAMPLE_RATE: '1',
      TRACE_PROTOCOL: collector.protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      ...env,
    });
    await app.url();
    return app;
  }

  async url(): Promise<string> {
    return eventually(() => /listening on ([^"]+)/.exec(this.output)?.[1], 15_000);
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Record<string, string>> {
    const response = await fetch(`${await this.url()}${path}`, { headers });
    return (await response.json()) as Record<string, string>;
  }

  terminate(): Promise<number | string> {
    this.child.kill('SIGTERM');
    return this.exit;
  }

  count(text: string): number {
    return this.output.split(text).length - 1;
  }
}

const childOf = (parent: ReceivedSpan): unknown =>
  expect.objectContaining({ parentSpanId: parent.spanId, traceId: parent.traceId });

/** Of the webhook that got a request with this path. */
const sentTo = (path: string) => webhook.received.find((message) => message.path.startsWith(path))?.headers.traceparent;

describe('what is traced', () => {
  let collector: OtlpReceiver;
  let status: number | string;
  let stored: string | undefined;

  beforeAll(async () => {
    collector = await OtlpReceiver.start('grpc');
    const app = await App.traced(collector, {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20let%20me%20in,x-tenant=7',
    });
    await app.get('/orders/7?token=planted', { traceparent, 'x-forwarded-for': '203.0.113.9' });
    await app.get('/health/live');
    await fetch(`${await app.url()}/metrics`);
    await app.get('/undici');
    await app.get('/broken');
    await app.get('/missing');
    await app.get('/nowhere');
    await app.get('/fast', { traceparent: unsampled });
    ({ stored } = await app.get('/later'));
    await app.get('/work');
    await Promise.all(
      Array.from({ length: 30 }, async (_, number) => {
        const others = app.get(`/orders/${number}`, { traceparent: unsampled });
        await app.get(`/orders/many-${number}`);
        await others;
      }),
    );
    await app.get('/slow'); // during which the database is polled
    await fetch(`${await app.url()}/slow`, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
    status = await app.terminate();
  }, 30_000);

  afterAll(() => collector.close());

  it('E1, E2: all that a request does is one trace, below the caller', async () => {
    const server = await collector.span('GET /orders/:id');
    expect(server).toMatchObject({ kind: 'server', status: { code: 'unset' } });
    expect([server.traceId, server.parentSpanId]).toEqual(traceparent.split('-').slice(1, 3));
    expect(server.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      'url.path': '/orders/7',
      'client.address': '127.0.0.1', // the proxy is not trusted
      request_id: 'req-1',
    });
    const trace = collector.trace(server.traceId);
    const named = (name: string) => trace.find((span) => span.name === name)!;
    const handler = named('OrdersController.order');
    expect(handler).toEqual(childOf(server));
    const load = named('orders.load');
    expect(load).toEqual(childOf(handler));
    expect(load.attributes).toEqual({ store: 'postgres' });
    const query = trace.find(({ scope }) => scope.endsWith('instrumentation-pg'))!;
    expect(query).toEqual(childOf(load));
    expect(query.attributes['db.query.text']).toBe('SELECT $1::text AS id');
    expect(named('set')).toEqual(childOf(handler));
    const notify = named('notify');
    expect(notify).toEqual(childOf(handler));
    expect(notify.attributes).toEqual({ order: '7', told: true });
    const fetched = named('GET');
    expect(fetched).toEqual(childOf(notify));
    expect(fetched.kind).toBe('client');
    expect(sentTo('/hooks')).toBe(`00-${server.traceId}-${fetched.spanId}-01`);
    expect(trace).toHaveLength(7);
    for (const span of trace) expect(span.endedAt).toBeGreaterThanOrEqual(span.startedAt);
  });

  it('E1: the collector learns which service it is, and is sent the headers that it wants', async () => {
    expect((await collector.span('GET /orders/:id')).resource).toMatchObject({
      'service.name': 'orders',
      'service.version': '1.2.3',
      'deployment.environment': 'test',
      'deployment.environment.name': 'test',
    });
    expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer let me in', 'x-tenant': '7' });
  });

  it('E2: requests that wait for a connection of the pool, sampled and not, keep their traces apart', () => {
    const many = collector.spans.filter(({ attributes }) => String(attributes['url.path']).startsWith('/orders/many'));
    expect(many).toHaveLength(30);
    for (const { traceId } of many) {
      const queries = collector.trace(traceId).filter(({ scope }) => scope.endsWith('instrumentation-pg'));
      expect(queries.map(({ attributes }) => attributes['db.query.text'])).toEqual(['SELECT $1::text AS id']);
      expect(collector.trace(traceId)).toHaveLength(7);
    }
  });

  it('E2: probes, scrapes, polling and the exporter itself are not traced, nor what an unsampling caller asks', () => {
    const first = collector.spans.filter(({ parentSpanId, traceId }) => {
      return !collector.spans.some((span) => span.traceId === traceId && span.spanId === parentSpanId);
    });
    const names = new Set(first.map(({ name }) => name));
    expect([...names].sort()).toEqual(
      ['/broken', '/later', '/missing', '/orders/:id', '/slow', '/undici', '/work']
        .map((route) => `GET ${route}`)
        .concat('GET', 'last work')
        .sort(),
    );
    expect(collector.trace(unsampled.split('-')[1]!)).toEqual([]);
  });

  it('E2: secrets in URLs, values and error messages do not leave with a span', async () => {
    const text = JSON.stringify(collector.spans, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    for (const secret of ['T0P-SECRET', 'planted', 'secret value', 'hunter2']) expect(text).not.toContain(secret);
    expect((await collector.span('POST')).attributes['url.full']).toBe(webhook.url);
  });

  it('E2: a handler that throws is told of, an answer of the 4xx kind is no error', async () => {
    const server = await collector.span('GET /broken');
    expect(server.status.code).toBe('error');
    expect(server.attributes).toMatchObject({ 'http.response.status_code': 500, 'error.type': '500' });
    const handler = await collector.span('OrdersController.broken');
    expect(handler.status).toEqual({ code: 'error', message: 'cannot connect to postgres://[redacted]@db/eyrie' });
    expect(handler.events[0]).toMatchObject({ name: 'exception', attributes: { 'exception.type': 'Error' } });
    expect((await collector.span('OrdersController.missing')).status.code).toBe('unset');
    expect((await collector.span('GET /missing')).status.code).toBe('unset');
    const nowhere = collector.spans.find(({ attributes }) => attributes['url.path'] === '/nowhere');
    expect(nowhere).toMatchObject({ name: 'GET', attributes: { 'http.response.status_code': 404 } });
  });

  it('E2: a client that went away is told of, with the status that the access log has', () => {
    const spans = collector.spans.filter(({ name }) => name === 'GET /slow');
    expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([200, 499]);
  });

  it('E3: work that is done later belongs to the trace of the request that ordered it', async () => {
    const ordered = await collector.span('OrdersController.later');
    expect(stored).toBe(`00-${ordered.traceId}-${ordered.spanId}-01`);
    const deliver = await collector.span('deliver');
    expect(deliver).toEqual(childOf(ordered));
    expect(deliver).toMatchObject({ kind: 'consumer', attributes: { 'job.id': 7 } });
    const sent = collector.trace(ordered.traceId).at(-1)!;
    expect(sent).toEqual(childOf(deliver));
    expect(sentTo('/worker')).toBe(`00-${ordered.traceId}-${sent.spanId}-01`);
  });

  it('E3: undici of npm carries the traceparent as fetch does', async () => {
    const sent = await collector.span('POST');
    expect(sent).toEqual(childOf(await collector.span('OrdersController.undici')));
    expect(sentTo('/undici')).toBe(`00-${sent.traceId}-${sent.spanId}-01`);
  });

  it('E5: spans are sent at shutdown, those of the last stops included', async () => {
    expect(status).toBe(0);
    expect((await collector.span('last work')).kind).toBe('internal');
  });
});

describe('tracing', () => {
  it('E1: over HTTP the same comes', async () => {
    const collector = await collect('http');
    const app = await App.traced(collector, { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20let%20me%20in' });
    await app.get('/orders/7');
    expect(await app.terminate()).toBe(0); // long before the batch was due
    const server = await collector.span('GET /orders/:id');
    expect(collector.trace(server.traceId)).toHaveLength(7);
    expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer let me in' });
  });

  it('E1: what is not sampled is not recorded, keeps its ids, and the next service is told', async () => {
    const collector = await collect('grpc');
    const app = await App.traced(collector, { TRACE_SAMPLE_RATE: '0' });
    const { context } = await app.get('/fast');
    expect(context).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    webhook.reset();
    await app.get('/orders/7');
    expect(sentTo('/hooks')).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    await app.get('/fast', { traceparent }); // its caller has decided otherwise
    await app.terminate();
    const names = collector.spans.map(({ name }) => name);
    expect(names.sort()).toEqual(['GET /fast', 'OrdersController.fast']);
    expect(collector.trace(traceparent.split('-')[1]!)).toHaveLength(2);
  });

  it('E5: the spans before a crash are sent', async () => {
    const collector = await collect('grpc');
    const app = await App.traced(collector);
    await app.get('/crash');
    expect(await app.exit).toBe(1);
    expect(collector.spans.map(({ name }) => name)).toContain('GET /crash');
  });

  it.each([
    ['dead', 'grpc'],
    ['dead', 'http'],
    ['hang', 'grpc'],
    ['hang', 'http'],
    ['refuse', 'grpc'],
    ['refuse', 'http'],
  ] as const)('E5: a collector that is or does "%s" over %s costs nothing but the spans', async (fault, protocol) => {
    const collector = await collect(protocol);
    const { endpoint } = collector;
    if (fault === 'dead') {
      await collector.close();
      collectors.delete(collector);
    } else collector.behaviour = fault;
    const app = await App.traced({ protocol, endpoint });
    expect(await slowest1percent(app, 600)).toBeLessThan(100); // two batches, so that exports are under way meanwhile
    const before = performance.now();
    expect(await app.terminate()).toBe(0);
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(app.count('Spans are lost')).toBe(1);
  });

  it('E5: a collector that comes back is sent to again', async () => {
    const first = await collect('http');
    const { port } = new URL(first.endpoint);
    const app = await App.traced(first);
    await app.get('/fast');
    await first.span('GET /fast');
    await first.close();
    collectors.delete(first);
    await app.get('/slow');
    const second = await collect('http', Number(port));
    await app.get('/missing');
    await second.span('GET /missing', 15_000);
  });

  it.each<Record<string, string>>([
    {},
    { TRACING_ENABLED: 'true', OTEL_SDK_DISABLED: 'true' },
    { TRACING_ENABLED: 'maybe' },
  ])('E1: with %j nothing of OpenTelemetry but its API is loaded', async (env) => {
    const app = new App({ ENVIRONMENT: 'test', ...env }, 'loaded.mjs');
    const { context } = await app.get('/fast', { traceparent });
    expect(context).toBeUndefined();
    webhook.reset();
    await app.get('/orders/7');
    expect(webhook.received).toHaveLength(1);
    expect(sentTo('/hooks')).toBeUndefined();
    expect(await app.terminate()).toBe(0);
    expect(app.output).toContain('loaded: @opentelemetry/api\n');
  });
});

/** How long, in milliseconds, the slowest percent of so many requests took at least. */
async function slowest1percent(app: App, count: number): Promise<number> {
  const took: number[] = [];
  for (let done = 0; done < count; done += 1) {
    const started = performance.now();
    await app.get('/fast');
    took.push(performance.now() - started);
  }
  return took.sort((one, other) => other - one)[Math.floor(count / 100)]!;
}
