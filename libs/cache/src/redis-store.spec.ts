import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, type TestRedis, testRedis } from '../../../test/harness/redis.js';
import { RedisProxy } from '../fixtures/redis-proxy.js';
import { RedisConnection } from './redis-connection.js';
import { RedisUnavailable } from './redis-error.js';
import { RedisStore } from './redis-store.js';

let server: TestRedis;
beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await testRedis();
}, REDIS_LIMIT_MS);

describe('RedisStore', () => {
  let proxy: RedisProxy;
  let redis: RedisConnection;
  let store: RedisStore;
  let other: RedisConnection;

  beforeEach(async () => {
    proxy = await RedisProxy.inFrontOf(server.url);
    const options = { prefix: server.prefix, commandTimeoutMs: 60, connectTimeoutMs: 1_000 };
    redis = new RedisConnection({ ...options, url: proxy.url });
    other = new RedisConnection({ ...options, url: server.url, commandTimeoutMs: 2_000 });
    store = new RedisStore(redis);
    await eventually(() => redis.state === 'connected' && other.state === 'connected');
    await other.command('FLUSHDB');
  });
  afterEach(async () => {
    await redis.close();
    await other.close();
    await proxy.close();
  });

  const keys = async () => (await other.command<string[]>('KEYS', '*')).sort();

  it('J1: names its keys after the installation and the cache, and gives each an end', async () => {
    await store.set('user:1', 'Ada', 5_000);
    expect(await keys()).toEqual([`${server.prefix}cache:user:1`]);
    expect(await other.command('PTTL', redis.key('cache', 'user:1'))).toBeGreaterThan(4_000);
  });

  it('J1: says that it failed when Redis holds something else under the name', async () => {
    await other.command('HSET', redis.key('cache', 'user:1'), 'field', 'value');
    await expect(store.get('user:1')).rejects.toThrow(/WRONGTYPE/);
  });

  it('J1: an outage does not bring back what was deleted during it', async () => {
    await store.set('user:1', 'stale', 60_000);
    await store.set('user:2', 'fresh', 60_000);
    proxy.cut();
    await eventually(() => redis.state === 'down');
    await expect(store.delete('user:1')).rejects.toBeInstanceOf(RedisUnavailable);
    await eventually(() => redis.state === 'connected');
    const [first, second] = await Promise.all([store.get('user:1'), store.get('user:2')]);
    expect([first, second?.text]).toEqual([undefined, 'fresh']);
    await eventually(async () => (await keys()).join() === redis.key('cache', 'user:2')); // for other processes, too
  });

  it('J1: a deletion without an answer counts as undone: the name is not read until it is written again', async () => {
    proxy.hang();
    await expect(store.delete('user:1')).rejects.toBeInstanceOf(RedisUnavailable);
    proxy.heal();
    expect(redis.state).toBe('connected'); // one silence is no outage
    await redis.command('PING');
    await other.command('SET', redis.key('cache', 'user:1'), 'stale');
    expect(await store.get('user:1')).toBeUndefined();
    await store.set('user:1', 'new', 60_000);
    expect((await store.get('user:1'))?.text).toBe('new');
  });
});
