import { describe, expect, it } from '@jest/globals';
import { FakeFeed } from '../fixtures/feed.js';
import { SettledEvents } from './settled-events.js';

const ids = ({ events }: { events: readonly { id: number }[] }) => events.map(({ id }) => id);

async function atEnd(feed: FakeFeed): Promise<SettledEvents> {
  const settled = new SettledEvents(feed);
  await settled.seekEnd();
  return settled;
}

describe('SettledEvents', () => {
  it('H10: answers what is committed at once, while others write', async () => {
    const feed = new FakeFeed();
    const settled = await atEnd(feed);
    feed.begin('idle');
    feed.append(2);
    expect(await settled.next(10)).toMatchObject({ state: 'end', events: [{ id: 1 }, { id: 2 }] });
    expect(feed.asked).toBe(1); // only to find the end
  });

  it('H10: holds back what comes after an id that may still appear', async () => {
    const feed = new FakeFeed();
    const settled = await atEnd(feed);
    feed.append(1);
    const early = feed.begin('early', 1);
    feed.append(1);
    expect(ids(await settled.next(10))).toEqual([1]);
    expect(await settled.next(10)).toEqual({ events: [], state: 'blocked' });
    early.commit();
    expect(ids(await settled.next(10))).toEqual([2, 3]);
    expect(ids(await settled.next(10))).toEqual([]);
  });

  it('H10: goes on after an id whose transaction was rolled back', async () => {
    const feed = new FakeFeed();
    const settled = await atEnd(feed);
    const early = feed.begin('early', 3);
    feed.append(1);
    expect((await settled.next(10)).state).toBe('blocked');
    early.rollBack();
    expect(ids(await settled.next(10))).toEqual([4]);
  });

  it('H10: waits for those only who were writing when the id was found missing', async () => {
    const feed = new FakeFeed();
    const settled = await atEnd(feed);
    const early = feed.begin('early', 1);
    feed.append(1);
    expect((await settled.next(10)).state).toBe('blocked');
    feed.begin('later');
    early.rollBack();
    expect(ids(await settled.next(10))).toEqual([2]);
  });

  it('H10: does not pass a second gap because a first one was settled', async () => {
    const feed = new FakeFeed();
    const settled = await atEnd(feed);
    const first = feed.begin('first', 1);
    feed.append(1);
    expect((await settled.next(10)).state).toBe('blocked');
    const second = feed.begin('second', 1);
    feed.append(1);
    first.rollBack();
    expect(ids(await settled.next(10))).toEqual([2]);
    expect(await settled.next(10)).toEqual({ events: [], state: 'blocked' });
    second.commit();
    expect(ids(await settled.next(10))).toEqual([3, 4]);
  });

  it('H10: begins at an end before which nothing can appear', async () => {
    const feed = new FakeFeed();
    const early = feed.begin('early', 1);
    feed.append(1);
    const settled = new SettledEvents(feed);
    expect(await settled.seekEnd()).toBe(false);
    feed.append(1);
    early.commit();
    expect(await settled.seekEnd()).toBe(true);
    expect(settled.head).toBe(2);
    expect(ids(await settled.next(10))).toEqual([3]);
  });

  it('H10: misses and repeats nothing, whatever the order in which random transactions end', async () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 50; round++) {
      const feed = new FakeFeed();
      const settled = await atEnd(feed);
      const open: ReturnType<FakeFeed['begin']>[] = [];
      const read: number[] = [];
      for (let step = 0; step < 100; step++) {
        const [transaction] = random(2) === 0 ? open.splice(random(open.length || 1), 1) : [];
        if (transaction && random(3) === 0) transaction.rollBack();
        else if (transaction) transaction.commit();
        else open.push(feed.begin(`${round}.${step}`, random(4)));
        if (random(3) === 0) read.push(...ids(await settled.next(1 + random(5))));
      }
      for (const transaction of open) transaction.commit();
      for (let isEnd = false; !isEnd;) {
        const step = await settled.next(10);
        read.push(...ids(step));
        isEnd = step.state === 'end';
      }
      expect(read).toEqual(feed.committed);
    }
  });
});
