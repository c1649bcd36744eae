import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { FakeFeed } from '../fixtures/feed.js';
import { EventReader } from './event-reader.js';

let reader: EventReader;
beforeAll(() => {
  Logger.overrideLogger(false);
});
afterEach(() => reader.stop());

function readerOf(feed: FakeFeed): number[] {
  const read: number[] = [];
  reader = new EventReader(feed, {
    startAfter: (id) => void read.push(-id),
    onEvents: (events) => void read.push(...events.map(({ id }) => id)),
  });
  return read;
}

describe('EventReader', () => {
  it('H10: asks nothing as long as nobody is there', async () => {
    const feed = new FakeFeed();
    readerOf(feed);
    reader.wake();
    await sleep(50);
    expect([feed.reads, feed.asked]).toEqual([0, 0]);
    await reader.start();
    await reader.stop();
    const { reads } = feed;
    reader.wake();
    await sleep(50);
    expect(feed.reads).toBe(reads);
  });

  it('H10: begins at the end, reads at once when it is woken, and by itself a little later', async () => {
    const feed = new FakeFeed();
    feed.append(3);
    const read = readerOf(feed);
    await reader.start();
    expect(read).toEqual([-3]);
    await sleep(50);
    feed.append(2);
    reader.wake();
    await eventually(() => read.length === 3, 150);
    feed.append(1);
    await eventually(() => read.length === 4, 1_500);
    expect(read).toEqual([-3, 4, 5, 6]);
  });

  it('H10: does not read more often because it is woken more often', async () => {
    const feed = new FakeFeed();
    readerOf(feed);
    await reader.start();
    const before = feed.reads;
    for (let count = 0; count < 100; count++) {
      reader.wake();
      await sleep(1);
    }
    expect(feed.reads - before).toBeLessThan(30);
  });

  it('H10: goes on when the feed can be read again', async () => {
    const feed = new FakeFeed();
    const read = readerOf(feed);
    await reader.start();
    feed.isAway = true;
    feed.append(2);
    reader.wake();
    await sleep(50);
    expect(read).toEqual([-0]);
    feed.isAway = false;
    reader.wake();
    await eventually(() => read.length === 3, 1_500);
  });
});
