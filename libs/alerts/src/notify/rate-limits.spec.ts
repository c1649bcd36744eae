import { describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { loadSettings } from 'eyrie/config';
import { notifySettings } from './notify.config.js';
import { rateOf } from './rate-limits.js';

const load = (text: string) =>
  loadSettings({ notify: notifySettings }, { env: { NOTIFY_RATE_LIMIT: text }, cwd: tmpdir() }).notify.rateLimits;

describe('NOTIFY_RATE_LIMIT', () => {
  it('H7: says a rate for all, and rates of single receivers', () => {
    const limits = load('10/s burst 20, pager=6/m, console=off');
    expect(rateOf(limits, 'team')).toEqual({ intervalMs: 100, burst: 20 });
    expect(rateOf(limits, 'pager')).toEqual({ intervalMs: 10_000, burst: 1 });
    expect(rateOf(limits, 'console')).toBeUndefined();
    expect(rateOf(limits, 'constructor')).toEqual({ intervalMs: 100, burst: 20 });
    expect(rateOf(load(''), 'team')).toBeUndefined();
  });

  it.each(['10', '10/s burst', '0/s', '-1/s', '10/s burst 0', '10/d', '10/s; 5/m', 'pager=', 'fast'])(
    'A2: %j is refused with what is wanted',
    (text) => expect(() => load(text)).toThrow(/NOTIFY_RATE_LIMIT: wanted rates such as 10\/s burst 20/),
  );
});
