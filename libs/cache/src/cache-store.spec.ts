import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../../../test/harness/redis.js';
import type { CacheStore } from './cache-store.js';
import { MemoryStore } from './memory-store.js';
import { RedisConnection } from './redis-connection.js';
import { RedisStore } from './redis-store.js';

interface Subject {
  store: CacheStore;
  /** Lets this much time pass for the store. */
  elapse: (ms: number) => Promise<void> | void;
  close: () => Promise<void>;
}

async function memory(): Promise<Subject> {
  let time = 0;
  const store = new MemoryStore({ entries: 1_000, bytes: 2 ** 26, now: () => time });
  return { store, elapse: (ms) => void (time += ms), close: async () => undefined };
}

async function redis(): Promise<Subject> {
  const { url, prefix } = await testRedis();
  const connection = new RedisConnection({ url, prefix, commandTimeoutMs: 2_000, connectTimeoutMs: 2_000 });
  await eventually(() => connection.state === 'connected');
  const elapse = async (ms: number) => void (await sleep(ms + 5));
  return { store: new RedisStore(connection), elapse, close: () => connection.close() };
}

describe.each([
  ['MemoryStore', memory],
  ['RedisStore', redis],
])('%s as a cache store', (_, open) => {
  let subject: Subject;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    subject = await open();
  }, REDIS_LIMIT_MS);
  afterAll(() => subject.close());

  it('J1: has what was stored, with the time that is left, and nothing else', async () => {
    await subject.store.set('user:1', 'Ada', 10_000);
    const found = await subject.store.get('user:1');
    expect(found?.text).toBe('Ada');
    expect(found?.leftMs).toBeGreaterThan(5_000);
    expect(found?.leftMs).toBeLessThanOrEqual(10_000);
    expect(await subject.store.get('user:2')).toBeUndefined();
  });

  it('J1: forgets when the time is over, and not before', async () => {
    await subject.store.set('brief', 'text', 40);
    await subject.store.set('long', 'text', 40_000);
    expect(await subject.store.get('brief')).toBeDefined();
    await subject.elapse(40);
    expect(await subject.store.get('brief')).toBeUndefined();
    expect(await subject.store.get('long')).toBeDefined();
  });

  it('J1: takes the latest text and the latest time', async () => {
    await subject.store.set('twice', 'first', 40);
    await subject.store.set('twice', 'second', 40_000);
    await subject.elapse(40);
    expect((await subject.store.get('twice'))?.text).toBe('second');
  });

  it('J1: deletes, also what is not there', async () => {
    await subject.store.set('gone', 'text', 10_000);
    await subject.store.delete('gone');
    await subject.store.delete('never was');
    expect(await subject.store.get('gone')).toBeUndefined();
  });

  it('J1: calls take effect in their order, awaited or not', async () => {
    void subject.store.set('order', 'one', 10_000);
    const one = subject.store.get('order');
    void subject.store.set('order', 'two', 10_000);
    const two = subject.store.get('order');
    void subject.store.delete('order');
    const none = subject.store.get('order');
    expect([(await one)?.text, (await two)?.text, await none]).toEqual(['one', 'two', undefined]);
  });

  it.each([
    ['an empty text', 'empty', ''],
    ['text in any script', 'ключ 🔑', 'значение\n\0 🎈'],
    ['a name of any length', 'k'.repeat(5_000), 'long'],
    ['another that begins with it', `${'k'.repeat(5_000)}2`, 'longer'],
    ['a large text', 'large', 'x'.repeat(2 ** 20)],
  ])('J1: keeps %s', async (_, name, text) => {
    await subject.store.set(name, text, 10_000);
    expect((await subject.store.get(name))?.text).toBe(text);
  });
});
