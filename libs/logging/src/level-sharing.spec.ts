import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { LevelSharing } from './level-sharing.js';
import { LoggerLevels } from './logger-levels.js';

const run = promisify(execFile);
const typescript = new URL('../../lifecycle/fixtures/typescript.mjs', import.meta.url).pathname;
const fixture = new URL('../fixtures/cluster.ts', import.meta.url).pathname;

afterEach(() => void jest.useRealTimers());

/** A process of a cluster; what it sends comes to `others`. */
function sibling(others: EventEmitter[]) {
  const port = new EventEmitter();
  const sent: { sticky?: boolean; data: object }[] = [];
  const levels = new LoggerLevels('info', { apply: () => undefined, announce: () => undefined });
  const send = (message: unknown) => {
    sent.push(message as (typeof sent)[number]);
    for (const other of others) if (other !== port) other.emit('message', structuredClone(message));
  };
  const sharing = new LevelSharing(levels, {
    send,
    on: (event, listener) => void port.on(event, listener),
    off: (event, listener) => void port.off(event, listener),
  });
  sharing.onModuleInit();
  others.push(port);
  return { levels, sent, port, sharing };
}

describe('LevelSharing', () => {
  it('C6: a change in one process holds in all, ends in all, and in those that come later', () => {
    jest.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    const ports: EventEmitter[] = [];
    const [one, two] = [sibling(ports), sibling(ports)];
    one.levels.set('A', 'debug', 60_000);
    two.levels.set('B', 'warn');
    expect(one.levels.state()).toEqual(two.levels.state());
    const last = two.sent.at(-1);
    expect(last).toMatchObject({ kind: 'eyrie:broadcast', channel: 'logger-levels', sticky: true });
    const late = sibling(ports);
    late.port.emit('message', last);
    expect(late.levels.levelOf('A')).toEqual(one.levels.levelOf('A'));
    expect(late.levels.levelOf('B').effectiveLevel).toBe('warn');
    jest.advanceTimersByTime(60_000);
    for (const { levels } of [one, two, late]) expect(levels.levelOf('A').effectiveLevel).toBe('info');
  });

  it('C6: whoever knows more than a message says tells the others, once', () => {
    const ports: EventEmitter[] = [];
    const [one, two] = [sibling(ports), sibling(ports)];
    one.levels.set('A', 'debug');
    const sentBefore = one.sent.length;
    one.port.emit('message', { kind: 'eyrie:broadcast', channel: 'logger-levels', data: {} });
    expect([one.sent.length - sentBefore, two.sent.length]).toEqual([1, 0]);
  });

  it('C6: other messages, and malformed ones, change nothing; after the shutdown nothing is heard', () => {
    const { levels, port, sharing } = sibling([]);
    const data = { A: { level: 'debug', changedAt: Date.now() } };
    const message = { kind: 'eyrie:broadcast', channel: 'logger-levels', data };
    for (const other of [null, 'x', {}, { ...message, channel: 'x' }, { ...message, data: { A: { level: 'loud' } } }]) {
      port.emit('message', other);
    }
    sharing.onApplicationShutdown();
    port.emit('message', message);
    expect(levels.state()).toEqual({});
  });

  it('C6: under node:cluster the level that one process was given is that of all', async () => {
    const flags = ['--conditions=source', '--no-warnings', '--import', typescript, fixture];
    const { stdout } = await run(process.execPath, flags, { timeout: 15_000 });
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line.process !== undefined);
    expect(told.map((line) => line.process).sort()).toEqual([1, 2, 3]);
    expect(told.map((line) => line.effectiveLevel)).toEqual(['debug', 'debug', 'debug']);
    expect(new Set(told.map((line) => line.expiresAt)).size).toBe(1);
  });
});
