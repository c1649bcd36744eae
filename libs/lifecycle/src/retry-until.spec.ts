import { describe, expect, it } from '@jest/globals';
import { retryUntil } from './retry-until.js';

describe('retryUntil', () => {
  it('G4: tries again with growing pauses until it succeeds', async () => {
    const pauses: number[] = [];
    let attempts = 0;
    const result = await retryUntil(
      () => {
        attempts += 1;
        if (attempts < 4) throw new Error('not yet');
        return 'up';
      },
      { limitMs: 5_000, firstPauseMs: 8, longestPauseMs: 16, onRetry: ({ pauseMs }) => pauses.push(pauseMs) },
    );
    expect(result).toBe('up');
    expect(pauses).toHaveLength(3);
    [8, 16, 16].forEach((longest, index) => {
      expect(pauses[index]).toBeGreaterThanOrEqual(longest / 2);
      expect(pauses[index]).toBeLessThanOrEqual(longest);
    });
  });

  it('G4: fails clearly after the limit, with the last failure as the cause', async () => {
    const cause = new Error('connection refused');
    const waiting = retryUntil(() => Promise.reject(cause), { limitMs: 60, firstPauseMs: 10 });
    await expect(waiting).rejects.toMatchObject({
      message: expect.stringMatching(/^gave up after \d+ attempts in 60 ms$/),
      cause,
    });
  });

  it('G4: ends with the reason of the signal, also in the middle of a pause', async () => {
    const controller = new AbortController();
    const waiting = retryUntil(() => Promise.reject(new Error('down')), {
      limitMs: 60_000,
      firstPauseMs: 30_000,
      longestPauseMs: 30_000,
      onRetry: () => setTimeout(() => controller.abort(new Error('told to stop')), 5),
      signal: controller.signal,
    });
    await expect(waiting).rejects.toThrow('told to stop');
  });
});
