import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BackoffSettings, nextAttempt, parseRetryAfter } from './backoff.js';

const settings: BackoffSettings = {
  firstMs: 1_000,
  factor: 2,
  maxMs: 300_000,
  retryAfterMaxMs: 3_600_000,
  giveUpAfterMs: 86_400_000,
  giveUpAttempts: 1_000,
};
const almostOne = 1 - Number.EPSILON;

describe('nextAttempt', () => {
  it('H7: doubles the bound of the wait from attempt to attempt, up to the largest', () => {
    const bounds = [1, 2, 3, 9, 10, 999].map((attempt) =>
      nextAttempt({ attempt, elapsedMs: 0 }, settings, () => almostOne),
    );
    expect(bounds).toEqual(
      [1_000, 2_000, 4_000, 256_000, 300_000, 300_000].map((delayMs) => ({ retry: true, delayMs })),
    );
  });

  it('H7: waits anything from nothing to the bound', () => {
    expect(nextAttempt({ attempt: 5, elapsedMs: 0 }, settings, () => 0)).toEqual({ retry: true, delayMs: 0 });
    expect(nextAttempt({ attempt: 5, elapsedMs: 0 }, settings, () => 0.5)).toEqual({ retry: true, delayMs: 8_000 });
  });

  it('H7: waits at least as long as Retry-After says, but no longer than its cap, and not in step with others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.nat(),
        fc.double({ min: 0, max: almostOne, noNaN: true }),
        (attempt, asked, chance) => {
          const next = nextAttempt({ attempt, elapsedMs: 0, retryAfterMs: asked }, settings, () => chance);
          const least = Math.min(asked, settings.retryAfterMaxMs);
          expect(next).toMatchObject({ retry: true });
          if (!next.retry) return;
          expect(next.delayMs).toBeGreaterThanOrEqual(least);
          expect(next.delayMs).toBeLessThanOrEqual(least + settings.maxMs);
        },
      ),
    );
    const waits = [0, 0.5].map((chance) =>
      nextAttempt({ attempt: 1, elapsedMs: 0, retryAfterMs: 5_000 }, settings, () => chance),
    );
    expect(waits).toEqual([5_000, 5_500].map((delayMs) => ({ retry: true, delayMs })));
  });

  it('H7: gives up after so many attempts, or when the next would come too late', () => {
    expect(nextAttempt({ attempt: 1_000, elapsedMs: 0 }, settings)).toEqual({
      retry: false,
      reason: 'given up after 1000 attempts',
    });
    expect(nextAttempt({ attempt: 300, elapsedMs: 86_399_000, retryAfterMs: 2_000 }, settings)).toEqual({
      retry: false,
      reason: 'given up after 86399 s and 300 attempts',
    });
    expect(nextAttempt({ attempt: 300, elapsedMs: 86_399_000 }, settings, () => 0)).toMatchObject({ retry: true });
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-10-21T07:27:00Z');

  it.each([
    ['0', 0],
    [' 120 ', 120_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 60_000],
    ['Wednesday, 21-Oct-26 07:28:00 GMT', 60_000],
    ['Wed Oct 21 07:28:00 2026 GMT', 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['2026', 2_026_000],
    ['2026-10-21', undefined],
    ['Wed, 99 Foo', undefined],
    [undefined, undefined],
  ])('H7: reads %j', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});
