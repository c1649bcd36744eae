import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { FakeProcess } from '../../fixtures/cluster-fake.js';
import { Supervisor } from './supervisor.js';

let forked: FakeProcess[];
let lines: string[];

beforeEach(() => {
  forked = [];
  lines = [];
  const note = (message: unknown) => void lines.push(String(message));
  Logger.overrideLogger({ log: note, error: note, warn: note, fatal: note, debug: () => undefined });
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(false);
});

/** What is to happen without any time passing. */
const settle = () => jest.advanceTimersByTimeAsync(0);

function supervise(count: number) {
  const supervisor = new Supervisor({
    count,
    fork: () => {
      forked.push(new FakeProcess(forked.length + 1));
      return forked.at(-1)!;
    },
    startTimeoutMs: 10_000,
    shutdownTimeoutMs: 5_000,
    crashLimit: 3,
    crashWindowMs: 60_000,
  });
  let status: number | undefined;
  void supervisor.run().then((result) => (status = result));
  return { supervisor, status: () => status };
}

async function ready(...pids: number[]): Promise<void> {
  for (const pid of pids) {
    await settle();
    process(pid).say({ kind: 'eyrie:ready' });
  }
  await settle();
}

function process(pid: number): FakeProcess {
  const found = forked[pid - 1];
  if (!found) throw new Error(`process ${pid} was not forked, only ${forked.length}`);
  return found;
}

const living = () => forked.filter(({ gone }) => !gone).map(({ pid }) => pid);

describe('Supervisor', () => {
  it('B1: starts the first process alone, then the others', async () => {
    supervise(3);
    expect(living()).toEqual([1]);
    await ready(1);
    expect(living()).toEqual([1, 2, 3]);
  });

  it.each([
    [78, null, 78],
    [0, null, 1],
    [null, 'SIGKILL' as const, 137],
  ])('B4: ends at once when the first process ends with %s %s', async (exit, signal, expected) => {
    const { status } = supervise(2);
    process(1).end(exit, signal);
    await settle();
    expect(status()).toBe(expected);
    expect(forked).toHaveLength(1);
  });

  it('B4: a first process that does not become ready in time is killed, and that is the end', async () => {
    const { status } = supervise(2);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(status()).toBe(137);
    expect(lines).toContain('The first process could not start: signal SIGKILL (it was not ready within 10000 ms)');
  });

  it('B4: a crashed process is logged with its cause and replaced after a pause', async () => {
    supervise(2);
    await ready(1, 2);
    await jest.advanceTimersByTimeAsync(20_000);
    process(1).end(null, 'SIGSEGV');
    expect(lines).toContain('Process 1 died: signal SIGSEGV');
    await jest.advanceTimersByTimeAsync(99);
    expect(living()).toEqual([2]);
    await jest.advanceTimersByTimeAsync(200);
    expect(living()).toEqual([2, 3]);
  });

  it('B4: a process that drains because of a fault is replaced without waiting for its end', async () => {
    const { supervisor, status } = supervise(1);
    await ready(1);
    process(1).say({ kind: 'eyrie:leaving' });
    await jest.advanceTimersByTimeAsync(300);
    expect(living()).toEqual([1, 2]);
    await ready(2);
    process(1).end(1);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(forked).toHaveLength(2);
    expect(process(1).told).toEqual([]);
    expect(lines).toContain('Process 1 died: status 1');
    void supervisor.stop('SIGTERM');
    await settle();
    expect(status()).toBe(0);
  });

  it('B4: a process that is not ready in time counts as crashed', async () => {
    supervise(2);
    await ready(1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(lines).toContain('Process 2 died: signal SIGKILL (it was not ready within 10000 ms)');
    await jest.advanceTimersByTimeAsync(300);
    expect(living()).toEqual([1, 3]);
  });

  it('B4: a crash loop ends the container with the status of the last crash, once the others have drained', async () => {
    const { status } = supervise(2);
    await ready(1);
    for (const pid of [2, 3, 4]) {
      process(1).obedient = false;
      process(pid).end(7);
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(process(1).told).toEqual(['stop']);
    expect(status()).toBeUndefined();
    process(1).end(0);
    await settle();
    expect(status()).toBe(7);
    expect(forked).toHaveLength(4);
  });

  it('B2: a process that asks is replaced only once its successor is ready, and is told to retire', async () => {
    supervise(2);
    await ready(1, 2);
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await settle();
    expect(living()).toEqual([1, 2, 3]);
    expect(process(1).told).toEqual([]);
    await ready(3);
    expect(process(1).heard).toEqual([{ kind: 'eyrie:stop', signal: 'SIGTERM', retire: true }]);
    expect(lines).toContain('Process 3 replaces process 1: enough');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(living()).toEqual([2, 3]);
  });

  it('B2: one at a time, the next only when the one before is gone', async () => {
    supervise(3);
    await ready(1, 2, 3);
    for (const pid of [1, 2]) process(pid).obedient = false;
    for (const pid of [1, 2]) process(pid).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await ready(4);
    expect(living()).toEqual([1, 2, 3, 4]);
    process(1).end(0);
    await settle();
    expect(living()).toEqual([2, 3, 4, 5]);
    await ready(5);
    await jest.advanceTimersByTimeAsync(6_000);
    expect(lines).toContain('Process 2 did not end cleanly: signal SIGKILL (it did not end within 6000 ms)');
    expect(living()).toEqual([3, 4, 5]);
  });

  it('B2: SIGHUP replaces every process, those too that are starting', async () => {
    const { supervisor } = supervise(2);
    await ready(1);
    supervisor.recycle('received SIGHUP');
    await ready(3); // in the place of 1
    expect(living()).toEqual([2, 3]);
    await ready(2);
    await ready(4);
    expect(living()).toEqual([3, 4]);
  });

  it('B2: a successor that cannot start leaves all others as they are', async () => {
    const { supervisor, status } = supervise(2);
    await ready(1, 2);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      supervisor.recycle('received SIGHUP');
      await settle();
      forked.at(-1)?.end(78);
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(forked).toHaveLength(7);
    expect(living()).toEqual([1, 2]);
    expect(status()).toBeUndefined();
    expect(lines).toContain('A new process could not start; process 1 stays');
  });

  it('B2: what asked to be replaced is tried again when its successor could not start', async () => {
    supervise(1);
    await ready(1);
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await settle();
    process(2).end(1);
    await jest.advanceTimersByTimeAsync(1_000);
    await ready(3);
    await settle();
    expect(living()).toEqual([3]);
  });

  it('B2: a process that dies while its successor starts is replaced by that', async () => {
    supervise(1);
    await ready(1);
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await settle();
    process(1).end(1);
    await ready(2);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(forked).toHaveLength(2);
    expect(living()).toEqual([2]);
  });

  it('B4: when a process and its successor both die, another is forked', async () => {
    supervise(1);
    await ready(1);
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await settle();
    process(1).end(1);
    process(2).end(1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(living()).toEqual([3]);
  });

  it('G1: drains all processes at once, also those that start or retire, and ends with 0', async () => {
    const { supervisor, status } = supervise(2);
    await ready(1, 2);
    process(1).obedient = false;
    process(1).say({ kind: 'eyrie:recycle', reason: 'enough' });
    await ready(3);
    process(2).end(1); // its successor is not forked any more
    void supervisor.stop('SIGINT');
    await settle();
    expect(process(3).heard).toEqual([{ kind: 'eyrie:stop', signal: 'SIGINT', retire: false }]);
    expect(process(1).told).toEqual(['stop']); // told once: twice would force it
    expect(status()).toBeUndefined();
    process(1).end(0);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(status()).toBe(0);
    expect(forked).toHaveLength(3);
  });

  it('G1: ends with 1 when a process did not end cleanly, and kills one that hangs', async () => {
    const { supervisor, status } = supervise(2);
    await ready(1, 2);
    process(2).obedient = false;
    void supervisor.stop('SIGTERM');
    await jest.advanceTimersByTimeAsync(5_999);
    expect(living()).toEqual([2]);
    await jest.advanceTimersByTimeAsync(1);
    expect(status()).toBe(1);
  });

  it('G1: a second signal forces all, and kills those that do not obey', async () => {
    const { supervisor, status } = supervise(2);
    await ready(1, 2);
    for (const each of forked) each.obedient = false;
    void supervisor.stop('SIGTERM');
    void supervisor.stop('SIGTERM');
    process(1).end(143);
    expect(process(2).told).toEqual(['stop', 'force']);
    await jest.advanceTimersByTimeAsync(500);
    expect(living()).toEqual([]);
    expect(status()).toBe(143);
  });

  it('G1: a stop during the first start is clean', async () => {
    const { supervisor, status } = supervise(2);
    void supervisor.stop('SIGTERM');
    await settle();
    expect(status()).toBe(0);
    expect(forked).toHaveLength(1);
  });

  it('C6: hands a broadcast to all others, and a sticky one to later ones when they are ready', async () => {
    supervise(3);
    await ready(1, 2);
    const sticky = { kind: 'eyrie:broadcast', channel: 'levels', data: 1, sticky: true };
    const passing = { kind: 'eyrie:broadcast', channel: 'other', data: 2 };
    process(1).say(sticky);
    process(1).say(passing);
    expect([process(1).heard, process(2).heard, process(3).heard]).toEqual([[], [sticky, passing], []]);
    await ready(3);
    expect(process(3).heard).toEqual([sticky]);
  });
});
