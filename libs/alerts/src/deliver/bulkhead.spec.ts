import { describe, expect, it } from '@jest/globals';
import { Bulkhead } from './bulkhead.js';

/** A bulkhead whose clock is moved by the test; its own patience is real. */
function bulkhead(concurrency: number, share: number) {
  const clock = { now: 0 };
  return { clock, hands: new Bulkhead({ concurrency, share, now: () => clock.now }) };
}

describe('H7: the bulkhead', () => {
  it('lets an integration have its share, and others theirs', async () => {
    const { hands, clock } = bulkhead(20, 4);
    for (let index = 0; index < 4; index++) expect(await hands.enter('slow')).toBeDefined();
    clock.now = 1_000;
    expect(await hands.enter('slow')).toBeUndefined();
    expect(await hands.enter('other')).toBeDefined();
    expect([...hands.running]).toEqual([
      ['slow', 4],
      ['other', 1],
    ]);
  });

  it('leaves hands free when several integrations hang at once', async () => {
    const { hands, clock } = bulkhead(100, 25);
    let entered = 0;
    for (let integration = 0; integration < 6; integration++) {
      for (let index = 0; index < 100; index++) {
        if (await hands.enter(`slow${integration}`)) entered++;
        else break;
        clock.now += 1_000;
      }
    }
    expect(entered).toBeLessThan(98);
    expect(await hands.enter('healthy')).toBeDefined();
  });

  it('lets what comes for a quick one wait for its turn, in order', async () => {
    const { hands } = bulkhead(10, 1);
    const order: string[] = [];
    const leave = (await hands.enter('quick'))!;
    const waiting = ['first', 'second'].map(async (name) => {
      const end = await hands.enter('quick');
      order.push(name);
      end!();
    });
    leave();
    await Promise.all(waiting);
    expect(order).toEqual(['first', 'second']);
    expect(hands.running.get('quick')).toBe(0);
  });

  it('lets a crowd wait for a quick one when all has stood still for a moment, as a process does that is busy', async () => {
    const { hands, clock } = bulkhead(100, 25);
    const leaving: (() => void)[] = [];
    for (let index = 0; index < 25; index++) leaving.push((await hands.enter('quick'))!);
    clock.now = 100;
    const waiting = Array.from({ length: 25 }, () => hands.enter('quick'));
    for (const leave of leaving) leave();
    for (const leave of await Promise.all(waiting)) leave!();
    expect(hands.running.get('quick')).toBe(0);
  });

  it('turns away at once what would wait for long, and after a while what waits in vain', async () => {
    const { hands, clock } = bulkhead(10, 1);
    await hands.enter('hanging');
    expect(await hands.enter('hanging')).toBeUndefined();
    clock.now = 60_000;
    const began = performance.now();
    expect(await hands.enter('hanging')).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(100);
    expect(hands.turnMs('hanging')).toBe(60_000);
  });

  it('takes a free hand back after every kind of wait', async () => {
    const { hands } = bulkhead(2, 1);
    for (let round = 0; round < 5; round++) {
      const leave = (await hands.enter('a'))!;
      const other = (await hands.enter('b'))!;
      leave();
      other();
    }
    expect([...hands.running.values()]).toEqual([0, 0]);
    expect(await hands.enter('a')).toBeDefined();
  });
});
