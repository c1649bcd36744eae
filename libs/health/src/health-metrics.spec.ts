import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { register } from 'prom-client';
import { HealthModule, HealthRegistry } from './index.js';

const lines = async (name: string) =>
  (await register.getSingleMetricAsString(name)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

async function start(): Promise<[TestingModule, HealthRegistry]> {
  const limits = { intervalMs: 0, diskPaths: [], memoryDegraded: 0, memoryUnhealthy: 0, eventLoopDegradedMs: 0 };
  const app = await Test.createTestingModule({ imports: [HealthModule.forRoot(limits)] }).compile();
  await app.init();
  const registry = app.get(HealthRegistry);
  return [app, registry];
}

describe('health as a metric', () => {
  beforeEach(() => void Logger.overrideLogger(false));

  it('F6: has a series for each check, which goes when the check goes; a scrape runs nothing', async () => {
    const [app, registry] = await start();
    registry.register({ name: 'database', critical: true, check: () => undefined });
    registry.register({ name: 'cache', critical: false, check: () => Promise.reject(new Error('no')) });
    registry.register({ name: 'queue', critical: true, check: () => ({ status: 'unhealthy' }) });
    expect(await lines('health_status')).toEqual([]);
    await registry.check('detailed');
    expect(await lines('health_status')).toEqual([
      'health_status{check="database"} 1',
      'health_status{check="cache"} 0.5',
      'health_status{check="queue"} 0',
    ]);
    const [duration] = await lines('health_check_duration_seconds');
    expect(Number(/^health_check_duration_seconds\{check="database"\} (\S+)$/.exec(duration!)?.[1])).toBeLessThan(1);
    registry.unregister('cache');
    expect(await lines('health_status')).toHaveLength(2);
    await app.close();
    expect(await lines('health_status')).toEqual([]);
  });

  it('F6: of two apps in a process the worse counts', async () => {
    const both = [await start(), await start()];
    const checks = [() => undefined, () => ({ status: 'unhealthy' as const })];
    for (const [index, [, registry]] of both.entries()) {
      registry.register({ name: 'database', critical: true, check: checks[index]! });
      await registry.check();
    }
    expect(await lines('health_status')).toEqual(['health_status{check="database"} 0']);
    for (const [app] of both) await app.close();
  });
});
