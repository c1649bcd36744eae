import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  containsTime,
  type InclusiveRange,
  isMuted,
  parseDaysOfMonth,
  parseLocation,
  parseMonths,
  parseTimeOfDay,
  parseWeekdays,
  parseYears,
  type TimeInterval,
} from './time-interval.js';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Sydney', 'Asia/Kolkata', 'Pacific/Apia'];

function rangeOf(min: number, max: number): fc.Arbitrary<InclusiveRange> {
  return fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => ({ begin: Math.min(a, b), end: Math.max(a, b) }));
}

const days = fc.oneof(
  rangeOf(1, 31),
  rangeOf(-31, -1),
  fc.record({ begin: fc.integer({ min: 1, max: 28 }), end: fc.integer({ min: -10, max: -1 }) }),
);
const interval: fc.Arbitrary<TimeInterval> = fc.record(
  {
    times: fc.array(
      rangeOf(0, 1440).map(({ begin, end }) => ({ startMinute: begin, endMinute: end })),
      { maxLength: 2 },
    ),
    weekdays: fc.array(rangeOf(0, 6), { maxLength: 2 }),
    daysOfMonth: fc.array(days, { maxLength: 2 }),
    months: fc.array(rangeOf(1, 12), { maxLength: 2 }),
    years: fc.array(rangeOf(2024, 2030), { maxLength: 2 }),
    location: fc.constantFrom(...ZONES),
  },
  { requiredKeys: [] },
);

/** Every clock reading spelt out from the printed local time; days of the month by listing them. */
function model(given: TimeInterval, at: Date): boolean {
  const [date, clock] = at.toLocaleString('sv-SE', { timeZone: given.location ?? 'UTC' }).split(' ');
  const [year, month, day] = date!.split('-').map(Number) as [number, number, number];
  const [hour, minute] = clock!.split(':').map(Number) as [number, number];
  const monthDays = [1, ...Array(30).keys()]
    .map((_, index) => index + 1)
    .filter((each) => new Date(Date.UTC(year, month - 1, each)).getUTCMonth() === month - 1);
  const allowed = ({ begin, end }: InclusiveRange) => {
    const first = begin < 0 ? monthDays.length + begin + 1 : begin;
    const last = end < 0 ? monthDays.length + end + 1 : end;
    return monthDays.filter((each) => each >= first && each <= last);
  };
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(
    at.toLocaleString('en-US', { timeZone: given.location ?? 'UTC', weekday: 'short' }),
  );
  const holds = <T>(list: readonly T[] | undefined, test: (each: T) => boolean) =>
    list === undefined || list.some(test);
  return (
    holds(
      given.times,
      ({ startMinute, endMinute }) => startMinute <= hour * 60 + minute && hour * 60 + minute < endMinute,
    ) &&
    holds(given.weekdays, ({ begin, end }) => begin <= weekday && weekday <= end) &&
    holds(given.daysOfMonth, (range) => allowed(range).includes(day)) &&
    holds(given.months, ({ begin, end }) => begin <= month && month <= end) &&
    holds(given.years, ({ begin, end }) => begin <= year && year <= end)
  );
}

describe('time intervals', () => {
  it('H4: agree with a naive model at any time, in any zone', () => {
    const at = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(interval, at, (given, time) => expect(containsTime(given, time)).toBe(model(given, time))),
      { numRuns: 2000 },
    );
  });

  const office: TimeInterval = { times: [{ startMinute: 540, endMinute: 1020 }], weekdays: [{ begin: 1, end: 5 }] };
  it.each([
    ['office hours', office, '2020-05-04T15:04Z', true],
    ['the minute they begin', office, '2020-05-04T09:00Z', true],
    ['the minute they end', office, '2020-05-04T17:00Z', false],
    ['a Sunday', office, '2020-05-03T15:04Z', false],
    ['office hours elsewhere', { ...office, location: 'Australia/Sydney' }, '2021-04-06T03:00Z', true],
    ['summer time elsewhere', { ...office, location: 'Australia/Sydney' }, '2021-10-31T22:00Z', true],
    ['before it', { ...office, location: 'Australia/Sydney' }, '2021-10-31T21:59Z', false],
    ['the last three days', { daysOfMonth: [{ begin: -3, end: -1 }] }, '2020-02-27T00:00Z', true],
    ['the day before them', { daysOfMonth: [{ begin: -3, end: -1 }] }, '2020-02-26T23:59Z', false],
    [
      'a month with the change to summer time',
      { daysOfMonth: [{ begin: -1, end: -1 }], location: 'Europe/Berlin' },
      '2026-03-31T10:00Z',
      true,
    ],
    ['days past the end of a month', { daysOfMonth: [{ begin: 30, end: 31 }] }, '2021-02-28T13:00Z', false],
    ['a range clamped to the month', { daysOfMonth: [{ begin: -31, end: 31 }] }, '2021-06-30T00:00Z', true],
    ['everything', {}, '2021-02-28T13:00Z', true],
    ['an empty list', { months: [] }, '2021-02-28T13:00Z', false],
  ] as [string, TimeInterval, string, boolean][])('H4: %s', (_, given, at, expected) => {
    expect(containsTime(given, new Date(at))).toBe(expected);
  });

  it.each([
    [parseTimeOfDay, '00:00', 0],
    [parseTimeOfDay, '17:39', 1059],
    [parseTimeOfDay, '24:00', 1440],
    [parseWeekdays, 'Monday:FRIDAY', { begin: 1, end: 5 }],
    [parseWeekdays, 'sunday', { begin: 0, end: 0 }],
    [parseDaysOfMonth, '1:-1', { begin: 1, end: -1 }],
    [parseDaysOfMonth, '-7:-1', { begin: -7, end: -1 }],
    [parseMonths, 'january:3', { begin: 1, end: 3 }],
    [parseMonths, 'December', { begin: 12, end: 12 }],
    [parseYears, '2020:2022', { begin: 2020, end: 2022 }],
    [parseLocation, '', 'UTC'],
    [parseLocation, 'US/Pacific', 'US/Pacific'],
    [parseLocation, 'Local', Intl.DateTimeFormat().resolvedOptions().timeZone],
  ])('H4: %p reads %s', (parse, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it('H4: a route is muted while one of the named intervals holds', () => {
    const intervals = new Map<string, TimeInterval[]>([
      [
        'nights',
        [{ times: [{ startMinute: 0, endMinute: 360 }] }, { times: [{ startMinute: 1320, endMinute: 1440 }] }],
      ],
      ['sundays', [{ weekdays: [{ begin: 0, end: 0 }] }]],
      ['nothing', []],
    ]);
    const muted = (names: string[], at: string) => isMuted(names, intervals, new Date(at));
    expect(muted(['nights'], '2026-11-23T23:00Z')).toBe(true);
    expect(muted(['nights'], '2026-11-23T12:00Z')).toBe(false);
    expect(muted(['nothing', 'sundays'], '2026-11-22T12:00Z')).toBe(true);
    expect(muted(['nothing'], '2026-11-22T12:00Z')).toBe(false);
    expect(muted([], '2026-11-22T12:00Z')).toBe(false);
    expect(() => muted(['days'], '2026-11-22T12:00Z')).toThrow('undefined time interval "days"');
  });
});
