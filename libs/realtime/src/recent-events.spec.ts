import { describe, expect, it } from '@jest/globals';
import type { LiveEvent } from './event-feed.js';
import { RecentEvents } from './recent-events.js';

const event = (id: number, filler = ''): LiveEvent => ({ id, type: 'spec.happened', at: '', data: { filler } });

describe('RecentEvents', () => {
  it('H10: keeps no more events than it may, and knows since when it has them all', () => {
    const recent = new RecentEvents({ events: 3, bytes: 1_000_000 });
    recent.startAfter(10);
    recent.push([event(11), event(14), event(15), event(16), event(19)]);
    expect([recent.start, recent.end, recent.since, recent.head]).toEqual([2, 5, 14, 19]);
    expect(recent.at(1)).toBeUndefined();
    expect(recent.at(2)?.event.id).toBe(15);
  });

  it('H10: keeps no more bytes than it may', () => {
    const recent = new RecentEvents({ events: 100, bytes: 3_000 });
    recent.push([1, 2, 3, 4].map((id) => event(id, 'x'.repeat(1_000))));
    expect([recent.since, recent.end - recent.start]).toEqual([2, 2]);
  });

  it('H10: finds where to go on after an id, whether it is there or not', () => {
    const recent = new RecentEvents({ events: 100, bytes: 1_000_000 });
    recent.push([event(5), event(7), event(9)]);
    expect([4, 5, 6, 7, 9, 99].map((id) => recent.positionAfter(id))).toEqual([0, 1, 1, 2, 3, 3]);
  });

  it('H10: forgets at a new start, and never gives a position out twice', () => {
    const recent = new RecentEvents({ events: 100, bytes: 1_000_000 });
    recent.push([event(5), event(7)]);
    recent.startAfter(50);
    expect([recent.start, recent.end, recent.since, recent.head]).toEqual([2, 2, 50, 50]);
    recent.push([event(51)]);
    expect(recent.at(2)?.event.id).toBe(51);
  });
});
