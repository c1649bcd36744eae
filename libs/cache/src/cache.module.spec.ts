import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { loadSettings } from 'eyrie/config';
import { HealthModule, HealthRegistry } from 'eyrie/health';
import { Lifecycle, LifecycleModule } from 'eyrie/lifecycle';
import { register } from 'prom-client';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, type TestRedis, testRedis } from '../../../test/harness/redis.js';
import { RedisProxy } from '../fixtures/redis-proxy.js';
import { Cache } from './cache.js';
import { cacheSettings } from './cache.config.js';
import { CacheModule } from './cache.module.js';
import { numbersOf, redisCheck } from './redis-check.js';
import { RedisConnection } from './redis-connection.js';

const settingsOf = (env: Record<string, string>) =>
  loadSettings({ cache: cacheSettings }, { env: { ENVIRONMENT: 'test', ...env }, cwd: import.meta.dirname }).cache;

describe('CacheModule', () => {
  let server: TestRedis;
  let app: TestingModule;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await testRedis();
  }, REDIS_LIMIT_MS);
  afterEach(() => app.close());

  async function start(env: Record<string, string>): Promise<TestingModule> {
    const lifecycle = LifecycleModule.forRoot({ drainDelayMs: 0, shutdownTimeoutMs: 5_000 });
    const imports = [lifecycle, HealthModule.forRoot(), CacheModule.forRoot(settingsOf(env))];
    app = await Test.createTestingModule({ imports }).compile();
    return app.init();
  }
  const withRedis = (url = server.url) =>
    start({ REDIS_URL: url, CACHE_PREFIX: server.prefix, REDIS_COMMAND_TIMEOUT: '500ms' });
  const checks = async () => (await app.get(HealthRegistry).check()).checks;
  const redisUp = async () => (await register.getSingleMetric('redis_up')!.get()).values.map(({ value }) => value);

  it('J1: caches in memory where REDIS_URL is unset, and then neither health nor metrics know a Redis', async () => {
    await start({});
    const cache = app.get(Cache);
    await cache.set('user', '1', 'Ada', { ttlMs: 60_000 });
    expect(await cache.get('user', '1')).toBe('Ada');
    expect(app.get(RedisConnection).state).toBe('off');
    expect(await checks()).toEqual({});
    expect(await redisUp()).toEqual([]);
  });

  it('J1: caches in Redis, which all processes share', async () => {
    await withRedis();
    const [cache, redis] = [app.get(Cache), app.get(RedisConnection)];
    await eventually(() => redis.state === 'connected');
    await cache.set('user', '1', 'Ada', { ttlMs: 60_000 });
    expect(await redis.command('GET', redis.key('cache', 'user:1'))).toBe('0 "Ada"');
    expect(await redisUp()).toEqual([1]);
  });

  it('F3: without Redis the process is degraded, answers on, and is healthy again by itself', async () => {
    const proxy = await RedisProxy.inFrontOf(server.url);
    await withRedis(proxy.url);
    await eventually(() => app.get(RedisConnection).state === 'connected');
    expect(await checks()).toMatchObject({ redis: { status: 'healthy' } });
    proxy.hang();
    proxy.cut();
    await eventually(() => app.get(RedisConnection).state === 'down');
    expect(await redisUp()).toEqual([0]);
    expect(await app.get(Cache).getOrLoad('user', '2', { ttlMs: 1_000 }, async () => 'Ada')).toBe('Ada');
    await eventually(async () => (await app.get(HealthRegistry).check()).status === 'degraded');
    proxy.heal();
    await eventually(async () => (await app.get(HealthRegistry).check()).status === 'healthy');
    await proxy.close();
  });

  it('F2: health tells the ping, the clients, the memory and the uptime of Redis', async () => {
    await withRedis();
    const redis = app.get(RedisConnection);
    await eventually(() => redis.state === 'connected');
    const { critical, check } = redisCheck(redis);
    expect(critical).toBe(false);
    expect(await check()).toEqual({
      details: {
        pingMs: expect.any(Number),
        connectedClients: expect.any(Number),
        usedMemoryBytes: expect.any(Number),
        uptimeSeconds: expect.any(Number),
      },
    });
  });

  it('G1: closes as the stop `cache`, and reads go on without it', async () => {
    await withRedis();
    const redis = app.get(RedisConnection);
    await eventually(() => redis.state === 'connected');
    const results = await app.get(Lifecycle).stop();
    expect(results).toMatchObject([{ name: 'cache', outcome: 'stopped' }]);
    expect(redis.state).toBe('down');
    expect(await redisUp()).toEqual([]);
    expect(await app.get(Cache).getOrLoad('user', '3', { ttlMs: 1_000 }, async () => 'Ada')).toBe('Ada');
  });
});

describe('numbersOf', () => {
  it('F2: reads what it knows of INFO and leaves out what is not there', () => {
    expect(numbersOf('# Server\r\nuptime_in_seconds:12\r\nused_memory:many\r\n\r\nnonsense\r\n')).toEqual({
      uptimeSeconds: 12,
    });
    expect(numbersOf('')).toEqual({});
  });
});

describe('cacheSettings', () => {
  it.each([
    ['http://redis:6379', /REDIS_URL: wanted a URL that begins with redis:\/\//],
    ['redis://redis/cache', /REDIS_URL: wanted a URL whose path is the number of a database/],
    ['redis://:100%@redis', /REDIS_URL: wanted a URL whose user and password are percent-encoded/],
  ])('A2: refuses %s', (url, message) => {
    expect(() => settingsOf({ REDIS_URL: url })).toThrow(message);
  });

  it('A2: shows no password of a refused URL', () => {
    const failure = (() => {
      try {
        return settingsOf({ REDIS_URL: 'redis://:hunter2@redis/cache' });
      } catch (error) {
        return String(error);
      }
    })();
    expect(failure).toMatch(/REDIS_URL/);
    expect(failure).not.toContain('hunter2');
  });

  it('J1: waits 25 ms for Redis unless told', () => {
    expect(settingsOf({})).toMatchObject({ url: undefined, prefix: 'eyrie:', commandTimeoutMs: 25 });
  });
});
