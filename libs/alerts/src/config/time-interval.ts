/** Both ends belong to the range. */
export interface InclusiveRange {
  readonly begin: number;
  readonly end: number;
}

/** Minutes of the day, from 0 to 1440; the end does not belong to the range. */
export interface TimeRange {
  readonly startMinute: number;
  readonly endMinute: number;
}

/**
 * Alertmanager's time interval. A field that is left out allows anything; one that is there must have an element that
 * holds (an empty list therefore never does, as in Alertmanager). Times are those of `location`, UTC by default.
 */
export interface TimeInterval {
  readonly times?: readonly TimeRange[];
  /** 0 is Sunday. */
  readonly weekdays?: readonly InclusiveRange[];
  /** From 1; negative days count from the end of the month. */
  readonly daysOfMonth?: readonly InclusiveRange[];
  readonly months?: readonly InclusiveRange[];
  readonly years?: readonly InclusiveRange[];
  /** IANA name. */
  readonly location?: string;
}

interface WallClock {
  year: number;
  month: number;
  day: number;
  weekday: number;
  minute: number;
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];

/** Whether the instant lies in the interval. */
export function containsTime(interval: TimeInterval, at: Date): boolean {
  const clock = wallClock(at, interval.location);
  const { times, weekdays, daysOfMonth, months, years } = interval;
  return (
    (!times || times.some(({ startMinute, endMinute }) => clock.minute >= startMinute && clock.minute < endMinute)) &&
    (!daysOfMonth || daysOfMonth.some((range) => containsDay(range, clock))) &&
    (!months || months.some((range) => inRange(range, clock.month))) &&
    (!weekdays || weekdays.some((range) => inRange(range, clock.weekday))) &&
    (!years || years.some((range) => inRange(range, clock.year)))
  );
}

/**
 * Whether the instant lies in any of the named intervals.
 *
 * @throws Error for a name that is not defined, which the loaded configuration rules out.
 */
export function isMuted(
  names: readonly string[],
  intervals: ReadonlyMap<string, readonly TimeInterval[]>,
  at: Date,
): boolean {
  return names.some((name) => {
    const named = intervals.get(name);
    if (!named) throw new Error(`undefined time interval "${name}"`);
    return named.some((interval) => containsTime(interval, at));
  });
}

/** `'09:00'` → 540; `24:00` is the end of the day. @throws Error */
export function parseTimeOfDay(text: string): number {
  const found = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text);
  if (!found) throw new Error(`couldn't parse timestamp ${text}, invalid format; write it as HH:MM`);
  return found[1] === undefined ? 24 * 60 : Number(found[1]) * 60 + Number(found[2]);
}

/** `'monday:friday'`, `'sunday'`. @throws Error */
export function parseWeekdays(text: string): InclusiveRange {
  const range = parseRange(text, (day) => {
    if (!WEEKDAYS.includes(day)) throw new Error(`${day} is not a valid weekday`);
    return WEEKDAYS.indexOf(day);
  });
  if (range.begin > range.end) throw new Error('start day cannot be before end day');
  return range;
}

/** `'1:5'`, `'-3:-1'`, `'10'`. @throws Error */
export function parseDaysOfMonth(text: string): InclusiveRange {
  const range = parseRange(text, parseInteger);
  const { begin, end } = range;
  for (const day of [begin, end]) {
    if (day === 0 || day < -31 || day > 31) throw new Error(`${day} is not a valid day of the month: out of range`);
  }
  if (begin < 0 && end > 0) throw new Error('end day must be negative if start day is negative');
  // The shortest month decides what is always wrong; the rest is clamped when it is compared.
  const fromStart = (day: number) => (day < 0 ? 28 + day : day);
  if (fromStart(begin) > fromStart(end)) throw new Error(`end day ${end} is always before start day ${begin}`);
  return range;
}

/** `'january:march'`, `'1:3'`, `'December'`. @throws Error */
export function parseMonths(text: string): InclusiveRange {
  const range = parseRange(text, (month) => {
    if (MONTHS.includes(month)) return MONTHS.indexOf(month) + 1;
    if (!INTEGER.test(month)) throw new Error(`${month} is not a valid month`);
    return Number(month);
  });
  if (range.begin > range.end) throw new Error(`end month of ${text} is before start month`);
  return range;
}

/** `'2020:2022'`, `'2030'`. @throws Error */
export function parseYears(text: string): InclusiveRange {
  const range = parseRange(text, parseInteger);
  if (range.begin > range.end) throw new Error(`end year ${range.end} is before start year ${range.begin}`);
  return range;
}

/** An IANA time zone as Go loads it: exact case, no offsets; '' is UTC, `Local` the machine's. @throws Error */
export function parseLocation(text: string): string {
  if (text === '') return 'UTC';
  if (text === 'Local') return Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = /^[A-Za-z]/.test(text) ? resolvedZone(text) : undefined;
  if (known === undefined) throw new Error(`unknown time zone ${text}`);
  if (known !== text && known.toLowerCase() === text.toLowerCase()) {
    throw new Error(`unknown time zone ${text}; did you mean ${known}?`);
  }
  return text;
}

const INTEGER = /^[+-]?\d+$/;

function parseInteger(text: string): number {
  if (!INTEGER.test(text)) throw new Error(`"${text}" is not a whole number`);
  return Number(text);
}

function parseRange(text: string, member: (text: string) => number): InclusiveRange {
  const ends = text.toLowerCase().split(':');
  if (ends.length > 2) throw new Error(`couldn't parse range ${text}, invalid format`);
  const begin = member(ends[0]!);
  return { begin, end: ends.length === 1 ? begin : member(ends[1]!) };
}

function resolvedZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

function inRange({ begin, end }: InclusiveRange, value: number): boolean {
  return value >= begin && value <= end;
}

function containsDay({ begin, end }: InclusiveRange, { year, month, day }: WallClock): boolean {
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const fromStart = (value: number) => (value < 0 ? days + value + 1 : value);
  return day >= fromStart(begin) && day <= fromStart(end);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function wallClock(at: Date, location = 'UTC'): WallClock {
  if (location === 'UTC') {
    return {
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      weekday: at.getUTCDay(),
      minute: at.getUTCHours() * 60 + at.getUTCMinutes(),
    };
  }
  const parts = Object.fromEntries(
    format(location)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute } = parts as Record<'year' | 'month' | 'day' | 'hour' | 'minute', number>;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, weekday, minute: hour * 60 + minute };
}

/** Making a format costs some 50 µs, using it 2 µs. */
function format(location: string): Intl.DateTimeFormat {
  let known = formats.get(location);
  if (!known) {
    known = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: location,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
    });
    formats.set(location, known);
  }
  return known;
}
