import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthModule, HealthRegistry, type ProcessState } from './index.js';

@Module({ imports: [HealthModule.forRoot()] })
class App {}

let app: NestFastifyApplication;
let registry: HealthRegistry;
let state: ProcessState;

beforeEach(async () => {
  Logger.overrideLogger(false);
  app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  registry = app.get(HealthRegistry);
  state = 'ready';
  registry.follow(() => state);
  await app.listen(0, '127.0.0.1');
});
afterEach(() => app.close());

async function ask(path: string): Promise<[number, unknown]> {
  const response = await fetch(`${await app.getUrl()}/health/${path}`);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, await response.json()];
}

describe('health', () => {
  it.each<[ProcessState, number, number]>([
    ['starting', 503, 503],
    ['ready', 200, 200],
    ['draining', 503, 200],
  ])('F1: a process that is %s', async (now, ready, startup) => {
    state = now;
    expect((await ask('ready'))[0]).toBe(ready);
    expect((await ask('startup'))[0]).toBe(startup);
    expect(await ask('live')).toEqual([200, { status: 'healthy' }]);
  });

  it('F3: a critical failure is unhealthy and 503, another only degrades', async () => {
    registry.register({ name: 'cache', critical: false, check: () => Promise.reject(new Error('no')) });
    registry.register({ name: 'disk', critical: true, check: () => Promise.resolve() });
    expect(await ask('ready')).toEqual([
      200,
      { status: 'degraded', checks: { cache: { status: 'degraded' }, disk: { status: 'healthy' } } },
    ]);
    registry.register({ name: 'database', critical: true, check: () => Promise.reject(new Error('no')) });
    expect(await ask('ready')).toMatchObject([
      503,
      { status: 'unhealthy', checks: { database: { status: 'unhealthy' } } },
    ]);
    registry.unregister('database');
    expect((await ask('ready'))[0]).toBe(200);
  });

  it('F5: the answer shows nothing of an error, not even of one that is thrown at once', async () => {
    registry.register({
      name: 'database',
      critical: true,
      check: () => {
        throw new Error('postgres://eyrie:hunter2@db refused');
      },
    });
    const [status, body] = await ask('ready');
    expect(status).toBe(503);
    expect(JSON.stringify(body)).not.toMatch(/postgres|hunter2|refused/);
    expect((await ask('live'))[0]).toBe(200);
  });

  it('F4: checks run in parallel, once for all that ask, and each within its time', async () => {
    const calls = { slow: 0, hanging: 0 };
    const slow = () => {
      calls.slow += 1;
      return new Promise<void>((resolve) => setTimeout(resolve, 150));
    };
    const hanging = () => {
      calls.hanging += 1;
      return new Promise<void>(() => undefined);
    };
    for (const name of ['a', 'b', 'c']) registry.register({ name, critical: true, check: slow });
    registry.register({ name: 'hanging', critical: false, check: hanging, timeoutMs: 100 });
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('ready')));
    expect(performance.now() - started).toBeLessThan(400);
    expect(new Set(answers.map(([, body]) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]).toMatchObject([200, { status: 'degraded', checks: { hanging: { status: 'degraded' } } }]);
    expect(calls).toEqual({ slow: 3, hanging: 1 });
    await ask('ready');
    expect(calls).toEqual({ slow: 3, hanging: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await ask('ready');
    expect(calls).toEqual({ slow: 6, hanging: 1 }); // one that still hangs is not started again
  });
});
