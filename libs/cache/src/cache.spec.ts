import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { register } from 'prom-client';
import { Cache } from './cache.js';
import type { CacheStore } from './cache-store.js';
import type { Codec } from './codec.js';
import { MemoryStore } from './memory-store.js';

/** A memory store that can be taken away. */
class LossyStore extends MemoryStore implements CacheStore {
  lost = false;
  override get = async (name: string) => (this.check(), super.get(name));
  override set = async (name: string, text: string, ttlMs: number) => (this.check(), super.set(name, text, ttlMs));
  override delete = async (name: string) => (this.check(), super.delete(name));
  private check() {
    if (this.lost) throw new Error('the store is gone');
  }
}

describe('Cache', () => {
  const minute = { ttlMs: 60_000, jitter: 0 };
  let time: number;
  let random: number;
  let store: LossyStore;
  let cache: Cache;
  let warnings: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => {
    Logger.overrideLogger(false);
    warnings = jest.spyOn(Logger.prototype, 'warn').mockClear();
    register.resetMetrics();
    time = 0;
    random = 1; // which never asks for an early refresh
    const now = () => time;
    store = new LossyStore({ entries: 1_000, bytes: 2 ** 24, now });
    cache = new Cache(store, { valueSize: 1_000, random: () => random, now });
  });

  const counted = async (name: string, type = 'user') => {
    const metric = (await register.getSingleMetric(name)?.get()) ?? { values: [] };
    return metric.values.find(({ labels }) => labels['cache_type'] === type)?.value ?? 0;
  };
  const counts = async () => ({
    hits: await counted('cache_hits_total'),
    misses: await counted('cache_misses_total'),
    errors: await counted('cache_errors_total'),
  });
  /** A load that waits to be told its result. */
  function pending<T>() {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    return { load: jest.fn(() => promise), resolve, reject };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('J1: loads once, and remembers until the time is over', async () => {
    const load = jest.fn(async () => ({ name: 'Ada' }));
    expect(await cache.getOrLoad('user', '1', minute, load)).toEqual({ name: 'Ada' });
    time = 59_999;
    expect(await cache.getOrLoad('user', '1', minute, load)).toEqual({ name: 'Ada' });
    expect(await cache.get('user', '1')).toEqual({ name: 'Ada' });
    expect(load).toHaveBeenCalledTimes(1);
    time = 60_000;
    await cache.getOrLoad('user', '1', minute, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('D3: counts hits and misses by the type of the value', async () => {
    await cache.getOrLoad('user', '1', minute, async () => 'Ada');
    await cache.getOrLoad('user', '1', minute, async () => 'Ada');
    await cache.get('user', '1');
    await cache.get('team', '1');
    expect(await counts()).toEqual({ hits: 2, misses: 1, errors: 0 });
    expect(await counted('cache_misses_total', 'team')).toBe(1);
  });

  it('J1: a thousand callers at once make one load', async () => {
    const { load, resolve } = pending<string>();
    const callers = Array.from({ length: 1_000 }, () => cache.getOrLoad('user', '1', minute, load));
    await settle();
    resolve('Ada');
    expect(new Set(await Promise.all(callers))).toEqual(new Set(['Ada']));
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cache.getOrLoad('user', '1', minute, load)).toBe('Ada');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('J1: a failed load fails all who waited for it, is not remembered, and the next call tries again', async () => {
    const { load, reject } = pending<string>();
    const callers = [1, 2, 3].map(() => cache.getOrLoad('user', '1', minute, load));
    await settle();
    reject(new Error('no database'));
    const outcomes = await Promise.allSettled(callers);
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ message: 'no database' })),
    );
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cache.getOrLoad('user', '1', minute, async () => 'Ada')).toBe('Ada');
  });

  it('J1: a load that throws before its first wait is a failed load like any other', async () => {
    const load = () => {
      throw new Error('no database');
    };
    await expect(cache.getOrLoad('user', '1', minute, load)).rejects.toThrow('no database');
    expect(await cache.getOrLoad('user', '1', minute, async () => 'Ada')).toBe('Ada');
  });

  it('J1: what is deleted or set while it is being loaded is not overwritten by the load', async () => {
    for (const change of ['delete', 'set'] as const) {
      const { load, resolve } = pending<string>();
      const caller = cache.getOrLoad('user', change, minute, load);
      await settle();
      if (change === 'delete') await cache.delete('user', change);
      else await cache.set('user', change, 'new', minute);
      resolve('old');
      expect(await caller).toBe('old'); // it had asked before
      expect(await cache.get('user', change)).toBe(change === 'delete' ? undefined : 'new');
    }
  });

  it('J1: who asks after a deletion does not get what was being loaded before it', async () => {
    const { load, resolve } = pending<string>();
    const before = cache.getOrLoad('user', '1', minute, load);
    await settle();
    await cache.delete('user', '1');
    const after = cache.getOrLoad('user', '1', minute, async () => 'new');
    resolve('old');
    expect(await Promise.all([before, after])).toEqual(['old', 'new']);
    expect(await cache.get('user', '1')).toBe('new');
  });

  it.each([
    [0, 54_000],
    [0.5, 60_000],
    [1, 66_000],
  ])('J1: lives differ by the jitter: at %d of the die it is %d ms', async (die, lifeMs) => {
    random = die;
    await cache.set('user', '1', 'Ada', { ttlMs: 60_000 });
    time = lifeMs - 1;
    expect(await cache.get('user', '1')).toBe('Ada');
    time = lifeMs;
    expect(await cache.get('user', '1')).toBeUndefined();
  });

  describe('a value that took a second to load', () => {
    const slowly = (value: string) => async () => {
      time += 1_000;
      return value;
    };
    beforeEach(async () => {
      await cache.getOrLoad('user', '1', minute, slowly('old'));
      time = 60_000; // stored at 1 s: a second is left
    });

    it('J1: is loaded anew before its end, once and in the background', async () => {
      random = Math.exp(-1.1);
      const { load, resolve } = pending<string>();
      const readers = [1, 2, 3].map(() => cache.getOrLoad('user', '1', minute, load));
      expect(await Promise.all(readers)).toEqual(['old', 'old', 'old']);
      expect(await cache.getOrLoad('user', '1', minute, load)).toBe('old');
      expect(load).toHaveBeenCalledTimes(1);
      resolve('new');
      await settle();
      time = 110_000;
      expect(await cache.get('user', '1')).toBe('new');
    });

    it('J1: is left alone when the die says so', async () => {
      random = Math.exp(-0.9);
      const { load } = pending<string>();
      expect(await cache.getOrLoad('user', '1', minute, load)).toBe('old');
      expect(load).not.toHaveBeenCalled();
    });

    it('J1: stays when loading it anew fails', async () => {
      random = Math.exp(-1.1);
      const load = async () => {
        throw new Error('no database');
      };
      expect(await cache.getOrLoad('user', '1', minute, load)).toBe('old');
      await settle();
      expect(await cache.get('user', '1')).toBe('old');
    });
  });

  it('J1: without its store every read loads and nothing rejects', async () => {
    await cache.set('user', '1', 'Ada', minute);
    store.lost = true;
    const load = jest.fn(async () => 'Ada');
    expect(await cache.getOrLoad('user', '1', minute, load)).toBe('Ada');
    expect(await cache.get('user', '1')).toBeUndefined();
    await cache.set('user', '1', 'Ada', minute);
    await cache.delete('user', '1');
    expect(load).toHaveBeenCalledTimes(1);
    const { hits, misses, errors } = await counts();
    expect([hits, misses]).toEqual([0, 2]);
    expect(errors).toBeGreaterThanOrEqual(4);
  });

  it('J1: a write that fails takes the old value away: it is no longer true', async () => {
    await cache.set('user', '1', 'old', minute);
    jest.spyOn(store, 'set').mockRejectedValueOnce(new Error('full'));
    await cache.set('user', '1', 'new', minute);
    expect(await cache.get('user', '1')).toBeUndefined();
  });

  it('J1: keeps what JSON keeps, null too, and returns a copy', async () => {
    const value = { list: [1, null], text: 'ü🔑' };
    await cache.set('user', '1', value, minute);
    value.list.push(2);
    expect(await cache.get('user', '1')).toEqual({ list: [1, null], text: 'ü🔑' });
    const load = jest.fn(async () => null);
    await cache.getOrLoad('user', '2', minute, load);
    expect(await cache.getOrLoad('user', '2', minute, load)).toBeNull();
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('J1: a codec of the caller keeps what JSON does not', async () => {
    const codec: Codec<Date> = { encode: (date) => date.toISOString(), decode: (text) => new Date(text) };
    await cache.set('birth', '1', new Date(0), { ...minute, codec });
    expect(await cache.get('birth', '1', codec)).toEqual(new Date(0));
  });

  it.each(['', '{', '12', '12 {', 'x "text"', '-1 1'])(
    'J1: %j in the store is a miss, and is replaced',
    async (text) => {
      await store.set('user:1', text, 60_000);
      expect(await cache.getOrLoad('user', '1', minute, async () => 'Ada')).toBe('Ada');
      expect(await counts()).toEqual({ hits: 0, misses: 1, errors: 0 });
      expect(await cache.get('user', '1')).toBe('Ada');
    },
  );

  it.each([
    ['too large', 'ü'.repeat(500), 1],
    ['nothing for JSON', 1n, 1],
    ['undefined', undefined, 0],
  ])('J1: a value that is %s is handed on and not kept, nor is the one before it', async (_, value, faults) => {
    const load = jest.fn(async () => value);
    expect(await cache.getOrLoad<unknown>('user', '1', minute, load)).toBe(value);
    expect(await cache.getOrLoad<unknown>('user', '1', minute, load)).toBe(value);
    expect(load).toHaveBeenCalledTimes(2);
    await cache.set('user', '1', 'before', minute);
    await cache.set<unknown>('user', '1', value, minute);
    expect(await cache.get('user', '1')).toBeUndefined();
    expect(warnings).toHaveBeenCalledTimes(faults);
  });

  it('J1: types and keys do not run into each other, and a type is a word', async () => {
    await cache.set('a', 'b:c', 1, minute);
    expect(await cache.get('a', 'b')).toBeUndefined();
    await expect(cache.get('a:b', 'c')).rejects.toThrow('a:b is not the name of a cache type');
  });
});
