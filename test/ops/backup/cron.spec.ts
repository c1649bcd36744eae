import { expect, test } from '@jest/globals';
import { inBash } from './bash.js';

const at = (time: string) => Date.parse(`${time}Z`) / 1000;

/** The first time of each expression after each moment, or `never`; asked in one process. */
function next(cases: readonly (readonly [expression: string, after: number])[]): string[] {
  const lines = cases.map(([expression, after]) => `cron_next '${expression}' ${after} || echo never`).join('\n');
  return inBash(['cron'], lines)
    .trim()
    .split('\n')
    .map((line) => (line === 'never' ? line : new Date(Number(line) * 1000).toISOString().slice(0, 16)));
}

/** The same, minute by minute. */
function search(expression: string, after: number): string {
  const fields = expression
    .split(' ')
    .map((field, index) => valuesOf(field, [0, 0, 1, 1, 0][index]!, [59, 23, 31, 12, 7][index]!));
  const [minutes, hours, days, months, weekdays] = fields as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const [, , dayField, , weekdayField] = expression.split(' ');
  for (let time = after - (after % 60) + 60; time < after + 3000 * 86_400; time += 60) {
    const date = new Date(time * 1000);
    const day = days.has(date.getUTCDate());
    const weekday = weekdays.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays.has(7));
    const either = !dayField!.startsWith('*') && !weekdayField!.startsWith('*');
    if (!months.has(date.getUTCMonth() + 1) || !(either ? day || weekday : day && weekday)) {
      time += 86_400 - 60 - (time % 86_400); // the last minute of that day, then the next
      continue;
    }
    if (hours.has(date.getUTCHours()) && minutes.has(date.getUTCMinutes())) return date.toISOString().slice(0, 16);
  }
  return 'never';
}

function valuesOf(field: string, low: number, high: number): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range, step] = part.split('/') as [string, string?];
    const [from, to] = range.split('-').map(Number);
    const first = range === '*' ? low : from!;
    const last = range === '*' || (step && to === undefined) ? high : (to ?? from!);
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

test('P1: a schedule tells its next time', () => {
  expect(
    next([
      ['15 2 * * *', at('2026-11-14T02:14:59')],
      ['15 2 * * *', at('2026-11-14T02:15:00')],
      ['45 1 * * 0', at('2026-11-14T02:00:00')],
      ['45 1 * * 7', at('2026-11-14T02:00:00')],
      ['0 0 29 2 *', at('2026-11-14T02:00:00')],
      ['*/20 8-9 * * 1-5', at('2026-11-13T09:40:00')],
      ['30 3 1 * 1', at('2026-11-30T03:30:00')],
      ['0 0 31 2 *', at('2026-11-14T02:00:00')],
    ]),
  ).toEqual([
    ...['2026-11-14T02:15', '2026-11-15T02:15', '2026-11-15T01:45', '2026-11-15T01:45', '2028-02-29T00:00'],
    ...['2026-11-16T08:00', '2026-12-01T03:30', 'never'],
  ]);
});

test('P1: it agrees with a search minute by minute, on any expression', () => {
  let seed = 1_114;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const field = (low: number, high: number): string => {
    const [a, b] = [low + random(high - low + 1), low + random(high - low + 1)].toSorted((x, y) => x - y);
    return ['*', `${a}`, `${a}-${b}`, `${a},${b}`, `*/${1 + random(high)}`, `${a}-${b}/${1 + random(5)}`][random(6)]!;
  };
  const cases = Array.from({ length: 80 }, () => {
    const expression = [field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)].join(' ');
    return [expression, at('2026-01-01T00:00:00') + random(3 * 365 * 86_400)] as const;
  });
  const found = next(cases);
  cases.forEach(([expression, after], index) => {
    expect([expression, after, found[index]]).toEqual([expression, after, search(expression, after)]);
  });
});

test.each([
  '',
  '* * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '5-1 * * * *',
  '*/0 * * * *',
  'a * * * *',
  '@daily',
])('P1: the schedule "%s" is refused', (expression) => {
  expect(() => inBash(['cron'], `cron_fields '${expression}'`)).toThrow();
});

test('P1: wrong settings are all named at once, and none of them starts the service', () => {
  const env = {
    BACKUP_DUMP_SCHEDULE: 'daily',
    BACKUP_KEEP_DAILY: 'a week',
    BACKUP_KEEP_FULL: '0',
    BACKUP_COPY_TO: 'tape',
    BACKUP_KEY_FILE: '/nonexistent',
  };
  const output = inBash(['keys', 'cron', 'settings'], '(check_settings) 2>&1 || echo "status $?"', { env });
  expect(output).toMatch(/BACKUP_DUMP_SCHEDULE is 'daily'/);
  expect(output).toMatch(/BACKUP_KEEP_DAILY is 'a week'/);
  expect(output).toMatch(/BACKUP_KEEP_FULL is 0/);
  expect(output).toMatch(/BACKUP_COPY_TO is 'tape'/);
  expect(output).toMatch(/status 78\n$/);
});
