import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthAnswers } from './health-answers.js';
import { type HealthCheck, HealthModule, type HealthOptions, HealthRegistry, type ProcessState } from './index.js';

/** Only what a test registers. */
const bare = { intervalMs: 0, diskPaths: [], memoryDegraded: 0, memoryUnhealthy: 0, eventLoopDegradedMs: 0 };
const info = {
  service: 'api',
  version: '1.2.3',
  environment: 'test',
  gitSha: 'abc1234',
  buildTime: '2026-01-02T03:04:05Z',
  startedAt: '2026-02-03T04:05:06Z',
};
const never = () => new Promise<never>(() => undefined);

let app: NestFastifyApplication;
let registry: HealthRegistry;
let state: ProcessState;

async function start(options: HealthOptions = { ...bare, info }): Promise<void> {
  @Module({ imports: [HealthModule.forRoot(options)] })
  class App {}
  app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  registry = app.get(HealthRegistry);
  registry.follow(() => state);
  await app.init();
}

beforeEach(() => {
  Logger.overrideLogger(false);
  state = 'ready';
});
afterEach(() => app.close());

async function ask(path: string, method: 'GET' | 'HEAD' = 'GET') {
  const { statusCode: status, headers, body } = await app.inject({ method, url: path });
  const json = body === '' ? undefined : (JSON.parse(body) as Record<string, unknown>);
  return { status, json, body, headers };
}
const add = (name: string, check: HealthCheck['check'], rest: Partial<HealthCheck> = {}) =>
  registry.register({ name, critical: true, check, ...rest });
const refuse = () => Promise.reject(new Error('refused'));

const open = ['/health/live', '/health/ready', '/health/startup', '/health', '/monitoring/health'];
const closed = ['/monitoring/health/detailed', '/monitoring/info'];

describe('the endpoints', () => {
  it.each([...open, ...closed])('F1: %s answers GET and HEAD, and is never stored', async (path) => {
    await start();
    const [get, head] = [await ask(path), await ask(path, 'HEAD')];
    expect([get.status, head.status, head.body]).toEqual([200, 200, '']);
    for (const { headers } of [get, head]) {
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it.each<[ProcessState, number, object, number]>([
    ['starting', 503, { status: 'starting', checks: {} }, 503],
    ['ready', 200, { status: 'healthy', checks: { database: { status: 'healthy' } } }, 200],
    ['draining', 503, { status: 'draining', checks: {} }, 200],
    ['stopped', 503, { status: 'stopped', checks: {} }, 200],
  ])('F1: a process that is %s', async (now, ready, json, startup) => {
    await start();
    add('database', () => undefined);
    if (now !== 'starting') await ask('/health/startup');
    state = now;
    expect(await ask('/health/ready')).toMatchObject({ status: ready, json });
    expect((await ask('/health/startup')).status).toBe(startup);
    expect(await ask('/health/live')).toMatchObject({ status: 200, json: { status: 'healthy' } });
    expect((await ask('/health')).status).toBe(200);
  });

  it('G1: readiness is 503 at the very moment of draining, whether its answer was cached or is under way', async () => {
    await start();
    add('database', () => undefined);
    expect((await ask('/health/ready')).status).toBe(200);
    state = 'draining';
    expect((await ask('/health/ready')).status).toBe(503);
    state = 'ready';
    const { promise, resolve } = Promise.withResolvers<void>();
    add('slow', () => promise);
    const asked = ask('/health/ready');
    await new Promise(setImmediate);
    state = 'draining';
    resolve();
    expect(await asked).toMatchObject({ status: 503, json: { status: 'draining' } });
  });

  it('F3: a critical failure is unhealthy and 503, another only degrades', async () => {
    await start();
    add('cache', refuse, { critical: false });
    add('disk', () => undefined);
    const checks = { cache: { status: 'degraded' }, disk: { status: 'healthy' } };
    for (const path of ['/health/ready', '/health', '/monitoring/health']) {
      expect(await ask(path)).toMatchObject({ status: 200, json: { status: 'degraded', checks } });
    }
    add('database', refuse);
    for (const path of ['/health/ready', '/health', '/monitoring/health', '/monitoring/health/detailed']) {
      expect(await ask(path)).toMatchObject({
        status: 503,
        json: { status: 'unhealthy', checks: { ...checks, database: { status: 'unhealthy' } } },
      });
    }
    registry.unregister('database');
    expect((await ask('/health/ready')).status).toBe(200);
  });

  it('F1: start-up waits for its own checks, and then never goes back', async () => {
    await start();
    let warm = false;
    add('warm', () => ({ status: warm ? 'healthy' : 'unhealthy' }), { groups: ['startup'] });
    expect(await ask('/health/startup')).toMatchObject({ status: 503, json: { status: 'unhealthy' } });
    warm = true;
    registry.unregister('nothing'); // makes all results count as old
    expect(await ask('/health/startup')).toMatchObject({ status: 200, json: { status: 'started' } });
    warm = false;
    registry.unregister('nothing');
    expect((await ask('/health/startup')).status).toBe(200);
  });

  it('F5: liveness does not care about dependencies that hang, only about checks of its own', async () => {
    await start();
    for (const name of ['database', 'redis', 'queue']) add(name, never, { timeoutMs: 60 });
    const ready = ask('/health/ready');
    expect(await ask('/health/live')).toMatchObject({ status: 200, json: { status: 'healthy' } });
    expect((await ready).status).toBe(503);
    add('deadlock', () => ({ status: 'unhealthy' }), { groups: ['live'] });
    expect(await ask('/health/live')).toMatchObject({
      status: 503,
      json: { status: 'unhealthy', checks: { deadlock: { status: 'unhealthy' } } },
    });
  });

  it('F4: a thousand probes at once run a check once and get the same answer', async () => {
    await start();
    const check = jest.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 50)));
    add('database', check);
    const paths = Array.from({ length: 1_000 }, (_, i) => open[i % open.length]!);
    const answers = await Promise.all(paths.map((path) => ask(path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(check).toHaveBeenCalledTimes(1);
  });
});

describe('what is told', () => {
  const secret = 'postgres://eyrie:hunter2@db.internal:5432/eyrie';

  it('F5: details say how long, since when and why, and show no secret anywhere', async () => {
    await start();
    add('database', () => {
      throw new Error(`could not connect to ${secret}`, { cause: new Error('password=hunter2') });
    });
    add('redis', () => ({ redis: { status: 'down', message: `no answer from ${secret}`, url: secret } }));
    add('cache', () => ({ details: { hits: 4, token: 'hunter2', from: secret } }), { critical: false });
    const { json, status, body } = await ask('/monitoring/health/detailed');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const common = { critical: true, durationMs: expect.any(Number), checkedAt: time, since: time };
    expect([status, json]).toEqual([
      503,
      {
        status: 'unhealthy',
        checks: {
          database: {
            ...common,
            status: 'unhealthy',
            error: 'could not connect to postgres://[redacted]: password=[redacted]',
          },
          redis: {
            ...common,
            status: 'unhealthy',
            error: 'no answer from postgres://[redacted]',
            details: { url: 'postgres://[redacted]' },
          },
          cache: {
            ...common,
            critical: false,
            status: 'healthy',
            details: { hits: 4, token: '[redacted]', from: 'postgres://[redacted]' },
          },
        },
      },
    ]);
    const others = await Promise.all(open.map(async (path) => (await ask(path)).body));
    for (const text of [body, ...others]) expect(text).not.toMatch(/hunter2|db\.internal/);
    for (const text of others) expect(text).not.toMatch(/could not|since|durationMs|hits/);
  });

  it('F1: info says which program this is, where, and since when', async () => {
    await start();
    expect((await ask('/monitoring/info')).json).toEqual({
      ...info,
      node: process.versions.node,
      instance: hostname(),
      pid: process.pid,
      uptimeSeconds: expect.any(Number),
    });
  });

  it.each<[string, HealthOptions, number]>([
    ['in production', { info: { ...info, environment: 'production' } }, 404],
    ['where the environment is not known', {}, 404],
    ['in production with a guard', { info: { ...info, environment: 'production' }, monitoring: true }, 200],
    ['where they are not wanted', { info, monitoring: false }, 404],
  ])('F5: the inside is told %s', async (_, options, status) => {
    await start({ ...bare, ...options });
    for (const path of closed) expect((await ask(path)).status).toBe(status);
    for (const path of open) expect((await ask(path)).status).toBe(200);
  });

  it('F2: by default disk, memory and event loop are watched, and readiness does not list them', async () => {
    await start({ info });
    const { json } = await ask('/monitoring/health/detailed');
    expect(json!['checks']).toMatchObject({
      disk: { status: expect.any(String), critical: true, details: { '/': expect.any(Number) } },
      memory: { status: expect.any(String), details: { limitBytes: expect.any(Number) } },
      event_loop: { status: expect.any(String), critical: false, details: { p99Ms: expect.any(Number) } },
    });
    expect((await ask('/health/ready')).json!['checks']).not.toHaveProperty('disk');
  });
});

it('F4: a cached answer is prepared: no promise, no work to speak of', async () => {
  await start();
  for (const name of ['database', 'redis', 'queue', 'worker']) add(name, async () => undefined);
  const answers = app.get(HealthAnswers);
  const first = await answers.ready();
  expect(answers.ready()).toBe(first);
  const costs = Array.from({ length: 20 }, () => {
    const started = performance.now();
    for (let i = 0; i < 1_000; i += 1) void answers.ready();
    return (performance.now() - started) / 1_000;
  });
  expect(Math.min(...costs)).toBeLessThan(0.02); // ms
});
