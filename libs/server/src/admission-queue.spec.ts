import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { AdmissionQueue } from './admission-queue.js';

let now: number;
let late: boolean;
let queue: AdmissionQueue;
let log: string[];
let gone: Set<number>;

beforeEach(() => {
  now = 0;
  late = false;
  queue = new AdmissionQueue({ limitMs: 1_000, isLate: () => late, now: () => now });
  log = [];
  gone = new Set();
});

/** Requests that take so long to be served; to be refused takes a tenth of that. */
function arrive(from: number, to: number, costMs: number): void {
  for (let id = from; id <= to; id += 1) {
    const outcome = (name: string, ms: number) => () => {
      log.push(`${name} ${id}`);
      now += ms;
    };
    const admit = outcome('admit', costMs);
    if (queue.mayPass()) admit();
    else queue.wait({ admit, refuse: outcome('refuse', costMs / 10), isGone: () => gone.has(id) });
  }
}

/** Turns of the event loop until nobody waits; returns how many were dealt with in each. */
async function turns(): Promise<number[]> {
  const dealtWith: number[] = [];
  while (queue.size > 0) {
    const before = log.length;
    await nextTurn();
    dealtWith.push(log.length - before);
  }
  return dealtWith;
}

const count = (name: string) => log.filter((entry) => entry.startsWith(name)).length;

describe('AdmissionQueue', () => {
  it('B3: lets all pass while there is time, in order', () => {
    arrive(1, 10, 1);
    expect(log).toEqual(Array.from({ length: 10 }, (_, index) => `admit ${index + 1}`));
    expect(queue.size).toBe(0);
  });

  it('B3: gives requests a slice of each turn of the event loop, and lets the rest wait in line', async () => {
    arrive(1, 20, 5);
    expect(log).toHaveLength(4);
    for (const dealtWith of await turns()) expect(dealtWith).toBeLessThanOrEqual(4);
    expect(log).toEqual(Array.from({ length: 20 }, (_, index) => `admit ${index + 1}`));
  });

  it('B3: refuses who has waited too long, and meanwhile serves who came last', async () => {
    arrive(1, 50, 20);
    now += 1_001;
    arrive(51, 60, 20);
    await turns();
    expect(log.slice(0, 2)).toEqual(['admit 1', 'refuse 2']);
    expect(log.slice(2, 5)).toContain('admit 60');
    expect(log).toHaveLength(60);
    expect(count('refuse')).toBeGreaterThan(20);
    // Whoever was refused had come before all who were not, but for the one that passed at once.
    const ids = (name: string) =>
      log.filter((entry) => entry.startsWith(name)).map((entry) => Number(entry.split(' ')[1]));
    expect(Math.max(...ids('refuse'))).toBeLessThan(Math.min(...ids('admit').slice(1)));
  });

  it('B3: however long refusing takes, about half of the time goes to serving', async () => {
    const spent = { admit: 0, refuse: 0 };
    late = true;
    for (let id = 0; id < 400; id += 1) {
      queue.wait({
        admit: () => void ((now += 2), (spent.admit += 2)),
        refuse: () => void ((now += 7), (spent.refuse += 7)),
        isGone: () => false,
      });
    }
    await turns();
    expect(spent.admit / spent.refuse).toBeGreaterThan(0.4);
    expect(spent.admit / spent.refuse).toBeLessThan(1.5);
  });

  it('B3: refuses while the event loop is late', async () => {
    late = true;
    arrive(1, 1, 1);
    await turns();
    expect(log).toEqual(['refuse 1']);
    await nextTurn();
    late = false;
    arrive(2, 2, 1);
    expect(log.at(-1)).toBe('admit 2');
  });

  it('B3: forgets who has gone away', async () => {
    arrive(1, 3, 20);
    gone.add(2);
    await turns();
    expect(log).toEqual(['admit 1', 'admit 3']);
    expect(queue.size).toBe(0);
  });
});
