import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryLimiter } from './limiter.js';

const limit = { perSecond: 10, burst: 20 };

describe('the limit of a client', () => {
  it('I3: is a burst, then a steady rate, then the burst again', () => {
    let now = 0;
    const limiter = new MemoryLimiter({ now: () => now });
    const ask = () => limiter.spendNow('a', limit);
    const first = Array.from({ length: 20 }, ask);
    expect(first.every(({ isAllowed }) => isAllowed)).toBe(true);
    expect(first.map(({ remaining }) => remaining)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index));
    expect(ask()).toEqual({ isAllowed: false, remaining: 0, retryAfterMs: 100, resetMs: 2_000 });
    now = 99;
    expect(ask()).toMatchObject({ isAllowed: false, retryAfterMs: 1 });
    now = 100;
    expect(ask()).toMatchObject({ isAllowed: true, remaining: 0, resetMs: 2_000 });
    expect(ask().isAllowed).toBe(false);
    now = 10_000;
    expect(ask()).toMatchObject({ isAllowed: true, remaining: 19 });
  });

  it('I3: is no other client’s', () => {
    const limiter = new MemoryLimiter({ now: () => 0 });
    for (let index = 0; index < 21; index++) limiter.spendNow('a', limit);
    expect(limiter.spendNow('b', limit).remaining).toBe(19);
  });

  it('I3: lets through no more than burst and rate allow, whenever they come', () => {
    const rate = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(rate, fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (each, pauses) => {
        let now = 0;
        const limiter = new MemoryLimiter({ now: () => now });
        let [allowed, bucket] = [0, each.burst];
        for (const pause of pauses) {
          now += pause;
          // The plain model: a bucket that fills steadily.
          bucket = Math.min(each.burst, bucket + (pause * each.perSecond) / 1_000);
          const { isAllowed } = limiter.spendNow('a', each);
          if (Math.abs(bucket - 1) > 0.01) expect(isAllowed).toBe(bucket > 1);
          if (isAllowed) [allowed, bucket] = [allowed + 1, bucket - 1];
        }
        expect(allowed).toBeLessThanOrEqual(each.burst + (now * each.perSecond) / 1_000 + 0.01);
      }),
    );
  });

  it('I3: is kept for a bounded number of clients, those who came last', () => {
    const limiter = new MemoryLimiter({ capacity: 100, now: () => 0 });
    for (let index = 0; index < 20; index++) limiter.spendNow('busy', limit);
    for (let index = 0; index < 1_000; index++) {
      limiter.spendNow(`client ${index}`, limit);
      limiter.spendNow('busy', limit);
    }
    expect(limiter.size).toBe(100);
    expect(limiter.spendNow('busy', limit).isAllowed).toBe(false);
  });
});
