import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { RedisConnection } from 'eyrie/cache';
import { eventually } from '../../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../../../../test/harness/redis.js';
import { RedisLimiter } from './redis-limiter.js';

const limit = { perSecond: 10, burst: 20 };
let connections: RedisConnection[] = [];
let limiters: RedisLimiter[];

beforeAll(async () => {
  Logger.overrideLogger(false);
  const { url, prefix } = await testRedis();
  connections = [1, 2].map(
    () => new RedisConnection({ url, prefix, commandTimeoutMs: 1_000, connectTimeoutMs: 1_000 }),
  );
  limiters = connections.map((redis) => new RedisLimiter(redis));
  await eventually(() => connections.every(({ state }) => state === 'connected'));
}, REDIS_LIMIT_MS);
afterAll(() => Promise.all(connections.map((redis) => redis.close())));

const spend = (key: string, by = 0) => limiters[by]!.spend(key, limit);

describe('the limit of a client in Redis', () => {
  it('I3: is one for all processes', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => spend('shared', index % 2)));
    const allowed = answers.filter(({ isAllowed }) => isAllowed);
    expect(allowed.length).toBeGreaterThanOrEqual(20);
    expect(allowed.length).toBeLessThanOrEqual(23); // those that fit in while the others were on their way
    const refused = await spend('shared');
    expect(refused.isAllowed).toBe(false);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(100);
    await sleep(refused.retryAfterMs);
    expect(await spend('shared', 1)).toMatchObject({ isAllowed: true, remaining: 0, retryAfterMs: 0 });
  });

  it('I3: tells what is left', async () => {
    expect(await spend('fresh')).toEqual({ isAllowed: true, remaining: 19, retryAfterMs: 0, resetMs: 100 });
  });

  it('I3: leaves nothing behind once it is whole again', async () => {
    const [redis] = connections;
    await spend('brief');
    const leftMs = await redis!.command<number>('PTTL', redis!.key('limit', 'brief'));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(100);
  });

  it('I3: goes on after Redis has forgotten the script', async () => {
    await spend('script');
    await connections[0]!.command('SCRIPT', 'FLUSH');
    expect(await spend('script')).toMatchObject({ isAllowed: true });
  });
});
