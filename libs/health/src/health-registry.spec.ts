import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { defaultHealthSettings } from './health.config.js';
import type { HealthCheck } from './health-check.js';
import type { HealthChange } from './health-changes.js';
import { HealthRegistry, type ProcessState } from './health-registry.js';

let registry: HealthRegistry;

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
  registry = new HealthRegistry();
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const never = () => new Promise<never>(() => undefined);
const add = (check: HealthCheck['check'], rest: Partial<HealthCheck> = {}) =>
  registry.register({ name: 'it', critical: true, check, ...rest });
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const resultOf = (name: string) => registry.results().find(({ definition }) => definition.name === name)?.result;

describe('what a check may answer', () => {
  const terminus = new HealthIndicatorService();

  it.each<[string, HealthCheck['check'], object]>([
    ['nothing', () => undefined, { status: 'healthy' }],
    ['a promise of nothing', async () => undefined, { status: 'healthy' }],
    ['details', () => ({ details: { connections: 3 } }), { status: 'healthy', details: { connections: 3 } }],
    ['a state', () => ({ status: 'degraded', details: { lag: 9 } }), { status: 'degraded', details: { lag: 9 } }],
    ['up', () => terminus.check('it').up({ pool: 4 }), { status: 'healthy', details: { pool: 4 } }],
    ['degraded', () => terminus.check('it').degraded('slow'), { status: 'degraded', error: 'slow' }],
    ['down', async () => terminus.check('it').down({ code: 7 }), { status: 'unhealthy', details: { code: 7 } }],
    ['an attempt', terminus.check('it').attempt(() => ({ size: 1 })), { status: 'healthy' }],
    [
      'a failing attempt',
      () => terminus.check('it').attempt(() => Promise.reject(new Error('gone'))),
      { status: 'unhealthy', error: 'gone' },
    ],
    [
      'several parts',
      () => ({ one: { status: 'up', a: 1 }, two: { status: 'down', a: 2, message: 'no' } }),
      { status: 'unhealthy', details: { 'one.a': 1, 'two.a': 2 }, error: 'no' },
    ],
    [
      'what it throws',
      () => {
        throw new Error('at once');
      },
      { status: 'unhealthy', error: 'at once' },
    ],
    ['a state that does not exist', () => ({ status: 'fine' }) as never, { status: 'unhealthy' }],
  ])('F2: %s', async (_, check, expected) => {
    add(check);
    await registry.check();
    expect(resultOf('it')).toMatchObject(expected);
  });

  it('F3: one that is not critical is degraded where it would be unhealthy', async () => {
    add(() => terminus.check('it').down(), { critical: false });
    expect(await registry.check()).toEqual({ status: 'degraded', checks: { it: { status: 'degraded' } } });
  });

  it('F5: details are numbers, flags and short texts without secrets', async () => {
    const details = {
      password: 'hunter2',
      url: 'postgres://db.internal:5432/eyrie',
      long: 'x'.repeat(1_000),
      nan: NaN,
      nested: { token: 'hunter2' },
      ok: true,
    };
    add(() => ({ details: details as never }));
    await registry.check();
    expect(resultOf('it')?.details).toEqual({
      password: '[redacted]',
      url: 'postgres://[redacted]',
      long: `${'x'.repeat(200)}…`,
      ok: true,
    });
  });
});

describe('how often a check runs', () => {
  it('F4: once for a thousand that ask, and again only when the result is too old for readiness', async () => {
    const check = jest.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 300)));
    add(check);
    const answers = Array.from({ length: 1_000 }, () => registry.check());
    await pass(300);
    for (const { status } of await Promise.all(answers)) expect(status).toBe('healthy');
    expect(check).toHaveBeenCalledTimes(1);
    await pass(999);
    await registry.check();
    expect(check).toHaveBeenCalledTimes(1);
    await pass(1);
    const last = registry.check();
    await pass(300);
    await last;
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('F4: details live 30 s, but are never older than what readiness has seen', async () => {
    const check = jest.fn(() => undefined);
    const disk = jest.fn(() => undefined);
    add(check);
    add(disk, { name: 'disk', groups: ['detailed'] });
    await registry.check('detailed');
    await pass(10_000);
    await registry.check('ready');
    expect([check.mock.calls.length, disk.mock.calls.length]).toEqual([2, 1]);
    const { checkedAt } = resultOf('it')!;
    await pass(20_000); // the first round is 30 s old, the check's last result 20 s
    await registry.check('detailed');
    expect([check.mock.calls.length, disk.mock.calls.length]).toEqual([2, 2]);
    expect(resultOf('it')?.checkedAt).toBe(checkedAt);
  });

  it('F4: checks run in parallel, and a hung one costs its own limit once, is not started again, and comes back', async () => {
    let answer = () => {};
    const hung = jest.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    add(hung, { name: 'hung', critical: false, timeoutMs: 500 });
    add(() => new Promise((resolve) => setTimeout(resolve, 400)), { name: 'slow' });
    const first = registry.check();
    await pass(500);
    expect(await first).toMatchObject({ status: 'degraded', checks: { hung: { status: 'degraded' } } });
    expect(resultOf('hung')?.error).toBe('no answer within 500 ms');
    for (let i = 0; i < 5; i += 1) {
      await pass(1_000);
      const again = registry.check();
      await pass(400); // the slow one's time, not the limit of the hung one
      expect((await again).checks['hung']).toEqual({ status: 'degraded' });
    }
    expect(hung).toHaveBeenCalledTimes(1);
    answer();
    await pass(1_000);
    const back = registry.check();
    await pass(0);
    answer();
    await pass(400);
    expect(await back).toMatchObject({ status: 'healthy' });
    expect(hung).toHaveBeenCalledTimes(2);
  });

  it('F4: its signal aborts at the limit', async () => {
    const reasons: string[] = [];
    const check = (signal: AbortSignal) =>
      new Promise<void>((_, reject) =>
        signal.addEventListener('abort', () => {
          reasons.push(String(signal.reason));
          reject(signal.reason as Error);
        }),
      );
    add(check);
    const first = registry.check();
    await pass(2_000);
    expect((await first).status).toBe('unhealthy');
    expect(reasons).toEqual(['Error: no answer within 2000 ms']);
  });

  it('F4: one registered while the others run is waited for too; a replaced one has no say', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    add(() => new Promise((resolve) => setTimeout(resolve, 100)), { name: 'first' });
    add(() => new Promise((_, reject) => setTimeout(() => reject(new Error('old')), 150)), { name: 'it' });
    const report = registry.check();
    await pass(50);
    add(() => undefined, { name: 'late', critical: true });
    add(() => undefined, { name: 'it' });
    await pass(200);
    expect(await report).toEqual({
      status: 'healthy',
      checks: { first: { status: 'healthy' }, it: { status: 'healthy' }, late: { status: 'healthy' } },
    });
    expect(warn).not.toHaveBeenCalled();
    registry.unregister('late');
    const again = registry.check();
    await pass(100);
    expect(Object.keys((await again).checks)).toEqual(['first', 'it']);
  });
});

describe('groups', () => {
  it('F1: a check counts where it says, in readiness unless told, and always in the details', async () => {
    const check = () => undefined;
    add(check, { name: 'database' });
    add(check, { name: 'disk', groups: ['detailed'] });
    add(check, { name: 'warm', groups: ['startup'] });
    add(check, { name: 'loop', groups: ['live', 'ready'] });
    const names = async (group: Parameters<typeof registry.check>[0]) =>
      Object.keys((await registry.check(group)).checks);
    expect(await names('ready')).toEqual(['database', 'loop']);
    expect(await names('startup')).toEqual(['warm']);
    expect(await names('live')).toEqual(['loop']);
    expect(await names('detailed')).toEqual(['database', 'disk', 'warm', 'loop']);
  });

  it('F3: a quiet one shows up in readiness only while it is unhealthy', async () => {
    let status: 'healthy' | 'degraded' | 'unhealthy' = 'degraded';
    add(() => ({ status }), { name: 'memory', quiet: true });
    expect(await registry.check()).toEqual({ status: 'healthy', checks: {} });
    expect((await registry.check('detailed')).status).toBe('degraded');
    status = 'unhealthy';
    await pass(1_000);
    expect(await registry.check()).toEqual({ status: 'unhealthy', checks: { memory: { status: 'unhealthy' } } });
  });
});

describe('changes of health', () => {
  let changes: HealthChange[];
  let failing: boolean;
  const look = async () => {
    await registry.check();
    await pass(1_000);
  };
  beforeEach(() => {
    changes = [];
    failing = false;
    registry.onChange((change) => changes.push(change));
    add(() => (failing ? Promise.reject(new Error('refused')) : undefined), { name: 'database' });
  });

  it('F6: are told once they have lasted, with why; and the first word about a check at once', async () => {
    await look();
    expect(changes).toEqual([{ check: 'database', from: 'unknown', to: 'healthy', critical: true }]);
    failing = true;
    for (let i = 0; i < 10; i += 1) await look();
    expect(changes).toHaveLength(1);
    await look();
    expect(changes[1]).toEqual({
      check: 'database',
      from: 'healthy',
      to: 'unhealthy',
      critical: true,
      error: 'refused',
    });
    failing = false;
    for (let i = 0; i < 11; i += 1) await look();
    expect(changes[2]).toEqual({ check: 'database', from: 'unhealthy', to: 'healthy', critical: true });
    expect(changes).toHaveLength(3);
  });

  it('F6: flapping is none', async () => {
    await look();
    for (let i = 0; i < 60; i += 1) {
      failing = i % 9 > 0;
      await look();
    }
    expect(changes).toHaveLength(1);
  });

  it('F6: a check that hangs for good is one', async () => {
    add(never, { name: 'hung', critical: false, timeoutMs: 100 });
    const asked = registry.check();
    await pass(100);
    await asked;
    for (let i = 0; i < 11; i += 1) await look();
    expect(changes).toContainEqual(expect.objectContaining({ check: 'hung', from: 'unknown', to: 'degraded' }));
  });

  it('F6: what a draining process loses is none, and a failing listener keeps none from the others', async () => {
    let state: ProcessState = 'ready';
    registry.follow(() => state);
    const more = jest.fn();
    registry.onChange(() => {
      throw new Error('listener');
    });
    const end = registry.onChange(more);
    await look();
    expect(more).toHaveBeenCalledTimes(1);
    end();
    state = 'draining';
    failing = true;
    for (let i = 0; i < 20; i += 1) await look();
    expect(changes).toHaveLength(1);
    expect(more).toHaveBeenCalledTimes(1);
  });

  it('F6: HEALTH_ALERT_AFTER=0 tells at once', async () => {
    registry = new HealthRegistry({ ...defaultHealthSettings(), alertAfterMs: 0 });
    registry.onChange((change) => changes.push(change));
    add(() => Promise.reject(new Error('no')));
    await look();
    expect(changes).toEqual([{ check: 'it', from: 'unknown', to: 'unhealthy', critical: true, error: 'no' }]);
  });

  it('C5: are logged once each way', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const log = jest.spyOn(Logger.prototype, 'log');
    await look();
    failing = true;
    await look();
    await look();
    failing = false;
    await look();
    await look();
    expect(warn.mock.calls).toEqual([['database is unhealthy', expect.any(Error)]]);
    expect(log.mock.calls).toEqual([['database is healthy again']]);
  });
});
