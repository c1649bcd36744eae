import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OverloadWatch } from './overload.js';

let now: number;
let watch: OverloadWatch;

beforeEach(() => {
  jest.useFakeTimers();
  now = 0;
  watch = new OverloadWatch(1_000, () => now);
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

/** One tick of the watch, so late. */
function tick(lateMs: number): void {
  now += 100 + lateMs;
  jest.advanceTimersByTime(100);
}

describe('OverloadWatch', () => {
  it('B3: counts as overloaded above the limit, and then until the delay is half of it', () => {
    const seen = [0, 1_000, 1_001, 900, 501, 500, 900].map((lateMs) => {
      tick(lateMs);
      return watch.overloaded;
    });
    expect(seen).toEqual([false, false, true, true, true, false, false]);
  });

  it('B3: sees that it is late before its own timer has run', () => {
    tick(0);
    now += 1_100;
    expect(watch.overloaded).toBe(false);
    now += 1;
    expect(watch.overloaded).toBe(true);
    expect(watch.delayMs).toBe(1_001);
  });

  it('B3: measures the delay', () => {
    tick(70);
    expect(watch.delayMs).toBe(70);
    tick(0);
    expect(watch.delayMs).toBe(0);
  });
});
