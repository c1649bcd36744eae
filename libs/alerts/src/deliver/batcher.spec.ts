import { describe, expect, it } from '@jest/globals';
import { Batcher } from './batcher.js';

/** Long enough for the batcher to have done all that it can do while a batch is held. */
async function turn(): Promise<void> {
  for (let immediate = 0; immediate < 5; immediate++) await new Promise(setImmediate);
}

/** Batches as they were asked for, each done when the test says so. */
function heldBatcher(maxBatch = 100) {
  const batches: { items: readonly number[]; resolve(): void; reject(error: Error): void }[] = [];
  const batcher = new Batcher<number, string>(
    (items) =>
      new Promise((resolve, reject) =>
        batches.push({ items, resolve: () => resolve(items.map((item) => `#${item}`)), reject }),
      ),
    maxBatch,
  );
  return { batcher, batches };
}

describe('Batcher', () => {
  it('does in one go what is asked for at once, and gives each its own result', async () => {
    const { batcher, batches } = heldBatcher();
    const results = Promise.all([1, 2, 3].map((item) => batcher.add(item)));
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]!.resolve();
    expect(await results).toEqual(['#1', '#2', '#3']);
  });

  it('collects while a batch is under way, up to its limit', async () => {
    const { batcher, batches } = heldBatcher(2);
    const results = [1, 2, 3, 4, 5].map((item) => batcher.add(item));
    await turn();
    for (let index = 0; index < 3; index++) {
      expect(batches).toHaveLength(index + 1);
      batches[index]!.resolve();
      await turn();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3, 4], [5]]);
    expect(await Promise.all(results)).toEqual(['#1', '#2', '#3', '#4', '#5']);
  });

  it('tells everybody of a batch that it failed, and goes on with the next', async () => {
    const { batcher, batches } = heldBatcher();
    const failed = Promise.allSettled([batcher.add(1), batcher.add(2)]);
    await turn();
    const next = batcher.add(3);
    batches[0]!.reject(new Error('gone'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await turn();
    batches[1]!.resolve();
    expect(await next).toBe('#3');
  });

  it('starts again after it was idle', async () => {
    const { batcher, batches } = heldBatcher();
    for (const item of [1, 2]) {
      const result = batcher.add(item);
      await turn();
      batches.at(-1)!.resolve();
      expect(await result).toBe(`#${item}`);
    }
  });
});
