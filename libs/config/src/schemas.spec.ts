import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { duration, flag, formatDuration, formatSize, list, parseDuration, parseSize, port, size } from './schemas.js';

describe('schemas', () => {
  it.each([
    ['0', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ])('A2: reads the duration %s', (text, ms) => expect(duration().parse(text)).toBe(ms));

  it.each(['30', '', 's', '5 s', '-1s', '1y', '1h 30m', '1.s', '1e3s', 'Infinity'])(
    'A2: refuses the duration "%s"',
    (text) => expect(duration().safeParse(text).success).toBe(false),
  );

  it.each([
    ['512', 512],
    ['512B', 512],
    ['64kB', 64_000],
    ['2MiB', 2_097_152],
    ['1.5 KiB', 1536],
    ['1gib', 2 ** 30],
  ])('A2: reads the size %s', (text, bytes) => expect(size().parse(text)).toBe(bytes));

  it.each(['', 'MiB', '-1', '2M', '1e3', '2MiBs'])('A2: refuses the size "%s"', (text) =>
    expect(size().safeParse(text).success).toBe(false),
  );

  it('A5: writes durations and sizes so that they read back as they were', () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (ms) => parseDuration(formatDuration(ms)) === ms));
    fc.assert(fc.property(fc.nat(2 ** 40), (bytes) => parseSize(formatSize(bytes)) === bytes));
    expect([
      formatDuration(5_400_000),
      formatDuration(30 * 86_400_000),
      formatDuration(0),
      formatSize(2 ** 21),
      formatSize(0),
    ]).toEqual(['1h30m', '30d', '0', '2MiB', '0B']);
  });

  it('A2: holds durations and sizes to their bounds, and says so', () => {
    const bounded = duration({ min: '1s', max: '1m' });
    expect([bounded.parse('1s'), bounded.parse('1m')]).toEqual([1000, 60_000]);
    expect(bounded.safeParse('2m').error?.issues[0]?.message).toBe('a duration such as 30s or 1h30m, from 1s to 1m');
    expect(bounded.safeParse('999ms').success).toBe(false);
    expect(size({ max: '1MiB' }).safeParse('2MiB').error?.issues[0]?.message).toMatch(/at most 1MiB$/);
    expect(() => duration({ min: '30' })).toThrow('cannot read the bounds');
  });

  it('A2: reads flags, lists and ports', () => {
    expect(['true', 'YES', 'on', '1'].map((text) => flag().parse(text))).toEqual([true, true, true, true]);
    expect(['false', 'No', 'off', '0'].map((text) => flag().parse(text))).toEqual([false, false, false, false]);
    expect(flag().safeParse('nope').success).toBe(false);
    expect(list().parse(' a, b,,c ')).toEqual(['a', 'b', 'c']);
    expect([port().parse('0'), port().parse('65535')]).toEqual([0, 65_535]);
    expect(['65536', '-1', '80a', '0x50', '1e3'].map((text) => port().safeParse(text).success)).not.toContain(true);
  });
});
