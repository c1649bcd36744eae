import { describe, expect, it } from '@jest/globals';
import { TurnTaker } from './turn-taker.js';

describe('TurnTaker', () => {
  it('H10: lets no more run at the same time, and the others in their order, failures or not', async () => {
    const turns = new TurnTaker(2);
    const begun: number[] = [];
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const results = ends.map(({ promise }, index) =>
      turns.run(() => {
        begun.push(index);
        return promise;
      }),
    );
    const settled = Promise.allSettled(results);
    expect(begun).toEqual([0, 1]);
    ends[1]!.reject(new Error('a failure'));
    await expect(results[1]).rejects.toThrow('a failure');
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of ends) resolve();
    await settled;
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    await turns.run(async () => begun.push(5));
    expect(begun.at(-1)).toBe(5);
  });
});
