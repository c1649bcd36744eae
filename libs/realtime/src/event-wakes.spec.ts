import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RedisConnection } from 'eyrie/cache';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../../../test/harness/redis.js';
import { EventWakes } from './event-wakes.js';

let one: RedisConnection;
let other: RedisConnection;
beforeAll(async () => {
  Logger.overrideLogger(false);
  const { url, prefix } = await testRedis();
  const open = () => new RedisConnection({ url, prefix, commandTimeoutMs: 2_000, connectTimeoutMs: 2_000 });
  [one, other] = [open(), open()];
  await eventually(() => one.state === 'connected' && other.state === 'connected');
}, REDIS_LIMIT_MS);
afterAll(() => Promise.all([one.close(), other.close()]));

describe('EventWakes', () => {
  it('H10: wakes its own process at once, without Redis', () => {
    const wakes = new EventWakes();
    let count = 0;
    const end = wakes.onWake(() => (count += 1));
    wakes.announce();
    expect(count).toBe(1);
    end();
    wakes.announce();
    expect(count).toBe(1);
  });

  it('H10: wakes other processes, but not for every announcement', async () => {
    const [writer, reader] = [new EventWakes(one), new EventWakes(other)];
    let count = 0;
    const end = reader.onWake(() => (count += 1));
    await eventually(() => count === 1); // from now on it hears of others
    writer.announce();
    await eventually(() => count === 2);
    for (let announced = 0; announced < 200; announced++) {
      writer.announce();
      await sleep(1);
    }
    await sleep(100);
    expect(count).toBeGreaterThan(4);
    expect(count).toBeLessThan(40);
    const before = count;
    writer.announce();
    await eventually(() => count === before + 1);
    end();
    writer.onModuleDestroy();
  });
});
