import { expect, test } from '@jest/globals';
import { inBash } from './bash.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 14, 2, 15);

interface Policy {
  last: number;
  daily: number;
  weekly: number;
  monthly: number;
}
const USUAL: Policy = { last: 5, daily: 7, weekly: 5, monthly: 12 };

/** What the backup service would remove of these names. */
function expired(names: readonly string[], { last, daily, weekly, monthly }: Policy): string[] {
  const input = names.map((name) => `${name}\n`).join('');
  const output = inBash(['retention'], `expired ${last} ${daily} ${weekly} ${monthly}`, { input });
  return output.split('\n').filter(Boolean);
}

const nameAt = (time: number) => `eyrie-${new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')}`;
const timeOf = (name: string) =>
  Date.parse(name.replace(/^eyrie-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** ISO 8601: a week belongs to the year that has its Thursday. */
function isoWeek(time: number): string {
  const day = new Date(time);
  const thursday = new Date(
    Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 4 - (day.getUTCDay() || 7)),
  );
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return `${thursday.getUTCFullYear()}-${Math.ceil(((thursday.getTime() - first) / DAY + 1) / 7)}`;
}

/** The same promise, said differently: the newest of each of the last n periods that have one. */
function wanted(names: readonly string[], policy: Policy): string[] {
  const newestFirst = names.toSorted().toReversed();
  const kept = new Set(newestFirst.slice(0, Math.max(1, policy.last)));
  const periods: [number, (time: number) => string][] = [
    [policy.daily, (time) => new Date(time).toISOString().slice(0, 10)],
    [policy.weekly, isoWeek],
    [policy.monthly, (time) => new Date(time).toISOString().slice(0, 7)],
  ];
  for (const [count, periodOf] of periods) {
    const newest = new Map<string, string>();
    for (const name of newestFirst) {
      const period = periodOf(timeOf(name));
      if (!newest.has(period)) newest.set(period, name);
    }
    [...newest.values()].slice(0, count).forEach((name) => kept.add(name));
  }
  return newestFirst.filter((name) => !kept.has(name));
}

test('P1: of two years of daily dumps, the last days, weeks and months stay', () => {
  const names = Array.from({ length: 730 }, (_, day) => nameAt(NOW - day * DAY));
  const gone = new Set(expired(names, USUAL));
  const kept = names.filter((name) => !gone.has(name)).map((name) => name.slice(6, 14));
  expect(kept).toEqual([
    ...['20261114', '20261113', '20261112', '20261111', '20261110', '20261109', '20261108'],
    ...['20261101', '20261031', '20261025', '20261018', '20260930', '20260831', '20260731', '20260630'],
    ...['20260531', '20260430', '20260331', '20260228', '20260131', '20251231'],
  ]);
});

test('P1: the rule holds over year ends, leap days, several dumps a day and gaps', () => {
  let seed = 20_261_114;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 12; round++) {
    const start = Date.UTC(2023 + random(6), random(12), 1 + random(31));
    const names = new Set<string>();
    for (let time = start; names.size < 60; time += random(4) === 0 ? random(40 * DAY) : random(DAY))
      names.add(nameAt(time));
    const policy = { last: random(4), daily: random(8), weekly: random(6), monthly: random(13) };
    expect(expired([...names], policy).toSorted()).toEqual(wanted([...names], policy).toSorted());
  }
});

test('P1: the newest dump is never removed, even where nothing is to be kept', () => {
  const names = [nameAt(NOW - 400 * DAY), nameAt(NOW - 300 * DAY), nameAt(NOW - 200 * DAY)];
  expect(expired(names, { last: 0, daily: 0, weekly: 0, monthly: 0 })).toEqual([names[1], names[0]]);
});

test('P1: a service that was away for a year finds what it left', () => {
  const names = Array.from({ length: 7 }, (_, day) => nameAt(NOW - (365 + day) * DAY));
  expect(expired(names, USUAL)).toEqual([]);
});

test('P1: what bears no time is never removed', () => {
  expect(expired(['README', 'eyrie-yesterday', 'eyrie-20261399T000000Z'], { ...USUAL, daily: 0 })).toEqual([]);
});

test('P1: a week over the end of the year is one week', () => {
  const names = Array.from({ length: 14 }, (_, day) => nameAt(Date.UTC(2025, 0, 5, 2, 15) - day * DAY));
  const gone = new Set(expired(names, { last: 0, daily: 0, weekly: 2, monthly: 0 }));
  expect(names.filter((name) => !gone.has(name))).toEqual(['eyrie-20250105T021500Z', 'eyrie-20241229T021500Z']);
});
