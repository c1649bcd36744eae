import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from './memory-store.js';

describe('MemoryStore', () => {
  const names = ['a', 'b', 'c', 'd'];
  const kept = async (store: MemoryStore) => {
    const found = await Promise.all(names.map(async (name) => ((await store.get(name)) ? [name] : [])));
    return found.flat();
  };

  it('J1: keeps the number of values that it may, the most recently used', async () => {
    const store = new MemoryStore({ entries: 3, bytes: 2 ** 20 });
    for (const name of ['a', 'b', 'c']) await store.set(name, 'text', 1_000);
    await store.get('a');
    await store.set('b', 'text', 1_000);
    await store.set('d', 'text', 1_000);
    expect(await kept(store)).toEqual(['a', 'b', 'd']);
  });

  it('J1: keeps the size that it may, whatever is stored over and deleted', async () => {
    const store = new MemoryStore({ entries: 100, bytes: 10_000 });
    for (let round = 0; round < 100; round += 1) {
      await store.set('a', 'x'.repeat(1_900), 1_000);
      await store.set('b', 'x'.repeat(1_900), 1_000);
      await store.get('a');
      await store.delete('b');
    }
    await store.set('b', 'x'.repeat(1_900), 1_000);
    expect(await kept(store)).toEqual(['a', 'b']); // 2 × (3,800 + overhead) bytes
    await store.set('c', 'x'.repeat(1_900), 1_000);
    expect(await kept(store)).toEqual(['b', 'c']);
    await store.set('d', 'x'.repeat(10_000), 1_000);
    expect(await kept(store)).toEqual(['b', 'c']); // too large by itself
  });
});
