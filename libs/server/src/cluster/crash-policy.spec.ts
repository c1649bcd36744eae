import { describe, expect, it } from '@jest/globals';
import { CrashPolicy } from './crash-policy.js';

function policy(limit = 5) {
  const clock = { now: 0 };
  return { clock, crashes: new CrashPolicy({ limit, windowMs: 60_000, now: () => clock.now, random: () => 1 }) };
}

describe('CrashPolicy', () => {
  it('B4: each process that dies young doubles the pause, up to half a minute', () => {
    const { clock, crashes } = policy(100);
    const pauses = Array.from({ length: 10 }, () => {
      clock.now += 100;
      return crashes.died(undefined).pauseMs;
    });
    expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('B4: half of a pause is random', () => {
    const least = new CrashPolicy({ limit: 5, windowMs: 60_000, random: () => 0 });
    expect(least.died(undefined).pauseMs).toBe(100);
  });

  it('B4: a process that had settled is replaced soon, and is no sign of a loop', () => {
    const { crashes } = policy(2);
    for (let count = 0; count < 10; count += 1) expect(crashes.died(10_000)).toEqual({ pauseMs: 200, isLoop: false });
    expect(crashes.died(9_999).isLoop).toBe(false);
    expect(crashes.died(9_999).isLoop).toBe(true);
  });

  it('B4: only deaths within the window are a loop', () => {
    const { clock, crashes } = policy(3);
    const loops = [0, 30_000, 60_000, 89_999].map((at) => {
      clock.now = at;
      return crashes.died(undefined).isLoop;
    });
    expect(loops).toEqual([false, false, false, true]);
  });
});
