import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration, parseGoDuration } from './duration.js';

describe('durations', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1d2h', 93_600_000],
    ['1w', 604_800_000],
    ['1y2w3d4h5m6s7ms', 33_019_506_007],
  ])("H4: '%s' is %d ms, as in Prometheus", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', '1.5h', '-5s', '5m1h', '1h1h', '5 m', 'm', '10sec', '300y'])("H4: '%s' is refused", (text) => {
    expect(() => parseDuration(text)).toThrow();
  });

  it('H4: what is printed is read back', () => {
    fc.assert(fc.property(fc.nat(), (ms) => expect(parseDuration(formatDuration(ms))).toBe(ms)));
  });

  it.each([
    ['0', 0],
    ['10s', 10_000],
    ['1.5s', 1500],
    ['2m30s', 150_000],
    ['1h', 3_600_000],
    ['.5s', 500],
    ['1500us', 1.5],
  ])("H7: a webhook's timeout '%s' is %d ms, as in Go", (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '5', '1d', '-5s', 's', '1s ', '10s5'])("H7: a webhook's timeout '%s' is refused", (text) => {
    expect(() => parseGoDuration(text)).toThrow();
  });
});
