import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type LevelChanges, LoggerLevels, levelValues } from './logger-levels.js';
import { type LogLevel, logLevels } from './logging.config.js';

const start = Date.UTC(2026, 0, 1);
const { debug, info, warn, error } = levelValues;

beforeEach(() => void jest.useFakeTimers({ now: start }));
afterEach(() => void jest.useRealTimers());

function levels(initial: LogLevel = 'info') {
  const least: LogLevel[] = [];
  const said: string[] = [];
  const made = new LoggerLevels(initial, { apply: (level) => least.push(level), announce: (text) => said.push(text) });
  return Object.assign(made, { least, said });
}

describe('LoggerLevels', () => {
  it('C6: a logger follows the root until it has a level of its own, and again when that is taken away', () => {
    const given = levels();
    expect([given.isEnabled('A', debug), given.isEnabled('A', info), given.isEnabled(undefined, debug)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(given.set('A', 'debug')).toEqual({ configuredLevel: 'debug', effectiveLevel: 'debug' });
    expect([given.isEnabled('A', debug), given.isEnabled('B', debug), given.isEnabled(undefined, debug)]).toEqual([
      true,
      false,
      false,
    ]);
    given.set('root', 'error');
    expect([given.isEnabled('A', debug), given.isEnabled('B', warn), given.isEnabled('B', error)]).toEqual([
      true,
      false,
      true,
    ]);
    given.set('A', null);
    expect(given.isEnabled('A', warn)).toBe(false);
    expect(given.set('ROOT', null)).toEqual({ configuredLevel: 'info', effectiveLevel: 'info' });
    expect(given.isEnabled('A', info)).toBe(true);
  });

  it('C6: the level beneath is the least of all, and silent only when all are', () => {
    const given = levels();
    given.set('A', 'trace');
    given.set('A', 'silent');
    given.set('ROOT', 'silent');
    given.set('A', null);
    given.set('ROOT', null);
    expect(given.least).toEqual(['trace', 'info', 'silent', 'silent', 'info']);
  });

  it('C6: an expiry reverts to what was before it for good, to the second', () => {
    const given = levels();
    given.set('A', 'warn');
    given.set('A', 'trace', 5_000);
    expect(given.set('A', 'debug', 10_000)).toEqual({
      configuredLevel: 'debug',
      effectiveLevel: 'debug',
      expiresAt: '2026-01-01T00:00:10.000Z',
    });
    jest.advanceTimersByTime(9_999);
    expect(given.isEnabled('A', debug)).toBe(true);
    jest.advanceTimersByTime(1);
    expect([given.isEnabled('A', info), given.isEnabled('A', warn)]).toEqual([false, true]);
    expect(given.levelOf('A')).toEqual({ configuredLevel: 'warn', effectiveLevel: 'warn' });
    given.set('B', 'debug', 1_000);
    given.set('ROOT', 'error', 2_000);
    jest.advanceTimersByTime(1_000);
    expect(given.levelOf('B')).toEqual({ configuredLevel: null, effectiveLevel: 'error' });
    jest.advanceTimersByTime(1_000);
    expect(given.levelOf('B')).toEqual({ configuredLevel: null, effectiveLevel: 'info' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('C6: an expiry holds although the timer was late, as on a machine that slept', () => {
    const given = levels();
    given.set('A', 'debug', 1_000);
    jest.setSystemTime(start + 3_600_000);
    expect(given.levelOf('A')).toEqual({ configuredLevel: null, effectiveLevel: 'info' });
    expect(given.isEnabled('A', debug)).toBe(false);
  });

  it('C6: each change is told, and each expiry', () => {
    const given = levels();
    given.set('A', 'debug', 60_000);
    given.set('A', null);
    given.set('A', 'warn', 60_000);
    jest.advanceTimersByTime(60_000);
    expect(given.said).toEqual([
      'Level of A is now debug until 2026-01-01T00:01:00.000Z',
      'Level of A is its default again',
      'Level of A is now warn until 2026-01-01T00:01:00.000Z',
      'Level of A is its default again',
    ]);
  });

  it('C6: lists the root, and each logger that was seen or set', () => {
    const given = levels();
    given.isEnabled('Seen', debug);
    given.set('Set', 'debug');
    given.set('Reset', 'debug');
    given.set('Reset', null);
    expect(Object.entries(given.all())).toEqual([
      ['ROOT', { configuredLevel: 'info', effectiveLevel: 'info' }],
      ['Reset', { configuredLevel: null, effectiveLevel: 'info' }],
      ['Seen', { configuredLevel: null, effectiveLevel: 'info' }],
      ['Set', { configuredLevel: 'debug', effectiveLevel: 'debug' }],
    ]);
  });

  it('C6: names are bounded in number and length', () => {
    const given = levels();
    for (let index = 0; index < 10_000; index += 1) given.isEnabled(`Job ${index}`, info);
    expect(given.isEnabled('Job 9999', info)).toBe(true);
    expect(Object.keys(given.all())).toHaveLength(501);
    for (const name of ['', 'x'.repeat(101), 'a\nb', '__proto__']) {
      expect(() => given.set(name, 'debug')).toThrow('1 to 100 characters');
      given.isEnabled(name, info);
    }
    for (let index = 0; index < 100; index += 1) given.set(`Own ${index}`, 'debug');
    expect(() => given.set('One more', 'debug')).toThrow('100 loggers have a level of their own already');
    given.set('Own 0', 'trace');
    given.set('Own 0', null);
    given.set('One more', 'debug');
    for (let index = 0; index < 300; index += 1) {
      given.set('Own 1', null);
      given.set('Own 1', 'debug');
      given.set('One more', null);
      given.set(`One more ${index}`, 'debug');
      given.set(`One more ${index}`, null);
      given.set('One more', 'debug');
    }
    expect(Object.keys(given.state()).length).toBeLessThanOrEqual(501);
    jest.advanceTimersByTime(61_000);
    expect(Object.keys(given.state())).toHaveLength(100);
  });

  it('C6: processes agree, whatever the order in which their states arrive', () => {
    const action = fc.record({
      who: fc.nat(2),
      name: fc.constantFrom('A', 'B', 'ROOT'),
      level: fc.option(fc.constantFrom(...logLevels)),
      lastsMs: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined }),
      waitMs: fc.constantFrom(0, 0, 1, 500, 100_000),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (actions, order) => {
        const processes = [levels(), levels(), levels()];
        const sent: { to: number; state: LevelChanges }[] = [];
        const tell = (from: number) => {
          const state = structuredClone(processes[from]?.state() ?? {});
          for (const to of [0, 1, 2]) if (to !== from) sent.push({ to, state });
        };
        for (const { who, name, level, lastsMs, waitMs } of actions) {
          processes[who]?.set(name, level, lastsMs);
          tell(who);
          // A message is under way for far less time than a reset is remembered.
          if (waitMs > 1_000) deliver();
          jest.advanceTimersByTime(waitMs);
        }
        deliver();
        function deliver(): void {
          for (let messages = 0; sent.length > 0; messages += 1) {
            const [next] = sent.splice((order.next().value as number) % sent.length, 1);
            if (next && processes[next.to]?.merge(next.state)) tell(next.to);
            expect(messages).toBeLessThan(1_000); // they fall silent
          }
        }
        const [one, ...others] = processes.map((each) => ['A', 'B', 'ROOT'].map((name) => each.levelOf(name)));
        for (const other of others) expect(other).toEqual(one);
      }),
    );
  });
});
