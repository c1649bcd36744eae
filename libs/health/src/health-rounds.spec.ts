import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { defaultHealthSettings } from './health.config.js';
import { HealthRegistry, type ProcessState } from './health-registry.js';
import { HealthRounds } from './health-rounds.js';

describe('rounds', () => {
  let registry: HealthRegistry;
  let state: ProcessState;
  const check = jest.fn(() => undefined);
  beforeEach(() => {
    jest.useFakeTimers();
    check.mockClear();
    state = 'ready';
    registry = new HealthRegistry(defaultHealthSettings());
    registry.follow(() => state);
    registry.register({ name: 'it', critical: true, check, groups: ['detailed'] });
  });
  afterEach(() => void jest.useRealTimers());
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('F6: check everything soon after the start and then at the interval, until the module goes', async () => {
    const rounds = new HealthRounds(registry, { intervalMs: 15_000 });
    rounds.onApplicationBootstrap();
    await pass(1_000);
    expect(check).toHaveBeenCalledTimes(1);
    await pass(30_000);
    expect(check).toHaveBeenCalledTimes(3);
    rounds.onModuleDestroy();
    await pass(60_000);
    expect(check).toHaveBeenCalledTimes(3);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('F4: pass over what was just looked at', async () => {
    const rounds = new HealthRounds(registry, { intervalMs: 15_000 });
    rounds.onApplicationBootstrap();
    await pass(500);
    await registry.check('detailed');
    await pass(500);
    expect(check).toHaveBeenCalledTimes(1);
    rounds.onModuleDestroy();
  });

  it('F6: rest while the process drains', async () => {
    const rounds = new HealthRounds(registry, { intervalMs: 15_000 });
    rounds.onApplicationBootstrap();
    state = 'draining';
    await pass(60_000);
    expect(check).not.toHaveBeenCalled();
    rounds.onModuleDestroy();
  });

  it('F6: HEALTH_INTERVAL=0 turns them off', async () => {
    new HealthRounds(registry, { intervalMs: 0 }).onApplicationBootstrap();
    expect(jest.getTimerCount()).toBe(0);
  });
});
