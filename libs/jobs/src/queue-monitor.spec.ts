import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadSettings } from 'eyrie/config';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { tmpdir } from 'node:os';
import { Pool } from 'pg';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { jobsSettings, QueueMonitor } from './index.js';

const { jobs } = loadSettings({ jobs: jobsSettings }, { env: { ENVIRONMENT: 'test' }, cwd: tmpdir() });
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await testDatabase();
  pool = new Pool({ connectionString: database.url, max: 1 });
});
beforeEach(() => pool.query('TRUNCATE job_workers, graphile_worker._private_jobs'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** Runs `look` with a monitor of its own, which has seen nothing yet. */
async function withMonitor<T>(look: (monitor: QueueMonitor, health: HealthRegistry) => Promise<T>): Promise<T> {
  const [lifecycle, health] = [new Lifecycle(), new HealthRegistry()];
  const monitor = new QueueMonitor({ ...jobs, url: database.url }, lifecycle, health);
  try {
    return await look(monitor, health);
  } finally {
    await lifecycle.stop();
  }
}

const enqueue = (runAt: string) =>
  pool.query(`SELECT graphile_worker.add_job('probe', run_at => now() + $1::interval)`, [runAt]);
const beat = (age: string) =>
  pool.query(
    `INSERT INTO job_workers (id, host, pid, seen_at) VALUES (gen_random_uuid()::text, 'h', 1, now() - $1::interval)`,
    [age],
  );
const status = (name: string) => withMonitor(async (_, health) => (await health.check()).checks[name]?.status);

describe('the queue, as it is watched', () => {
  it('D4: counts what is due, running and for later, how old the oldest is, and who is alive', async () => {
    await enqueue('-30 seconds');
    await enqueue('-5 seconds');
    await enqueue('1 hour');
    await pool.query(
      `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'w' WHERE run_at > now() - interval '10 seconds'
       AND run_at < now()`,
    );
    await beat('0 seconds');
    await beat('1 hour');
    const state = await withMonitor((monitor) => monitor.state());
    expect(state).toMatchObject({ due: 1, running: 1, scheduled: 1, liveWorkers: 1 });
    expect(state.oldestDueMs).toBeGreaterThan(29_000);
    expect(state.oldestDueMs).toBeLessThan(60_000);
  });

  it('F2: is degraded while the oldest due job waits for too long, and no sooner', async () => {
    await enqueue('-50 seconds');
    expect(await status('queue')).toBe('healthy');
    await enqueue('-2 minutes');
    expect(await status('queue')).toBe('degraded');
  });

  it('F2: is degraded without a live worker, once one that starts now would have beaten', async () => {
    const started = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(started);
    const statuses: unknown[] = [];
    await withMonitor(async (_, health) => {
      for (const passed of [0, jobs.takeOverAfterMs, 2 * jobs.takeOverAfterMs, 3 * jobs.takeOverAfterMs]) {
        clock.mockReturnValue(started + passed + 1);
        if (passed > 2 * jobs.takeOverAfterMs) await beat('0 seconds');
        statuses.push((await health.check()).checks['worker']?.status);
      }
    });
    clock.mockRestore();
    expect(statuses).toEqual(['healthy', 'degraded', 'degraded', 'healthy']);
  });

  it('F4: is asked once, however many want to know', async () => {
    await withMonitor(async (monitor) => {
      const states = Array.from({ length: 50 }, () => monitor.state());
      expect(new Set(states).size).toBe(1);
      await Promise.all(states);
    });
  });
});
