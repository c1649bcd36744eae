import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { Pool } from 'pg';
import { JOBS_OPTIONS, type JobsOptions } from './jobs.options.js';
import { jobsInQueue, liveWorkers, oldestDueJob } from './jobs.metrics.js';

/** How the queue stands, whoever works on it. */
export interface QueueState {
  /** Jobs that wait for a worker, that a worker has taken, and that are for later. */
  due: number;
  running: number;
  scheduled: number;
  /** For how long the oldest due job has been waiting; 0 where none waits. */
  oldestDueMs: number;
  /** Worker processes that have given a sign of life lately. */
  liveWorkers: number;
}

/** Beyond this many jobs the counts are lower bounds. */
const MOST_COUNTED = 200_000;

const STATE = `
  SELECT
    count(*) FILTER (WHERE taken)::int AS running,
    count(*) FILTER (WHERE NOT taken AND run_at <= now())::int AS due,
    count(*) FILTER (WHERE NOT taken AND run_at > now())::int AS scheduled,
    coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE NOT taken AND run_at <= now())) * 1000, 0)::float8
      AS "oldestDueMs",
    (SELECT count(*)::int FROM job_workers WHERE seen_at > now() - $1::interval) AS "liveWorkers"
  FROM (
    SELECT run_at, locked_at IS NOT NULL AS taken FROM graphile_worker.jobs
    WHERE attempts < max_attempts OR locked_at IS NOT NULL LIMIT ${MOST_COUNTED}) AS job`;

const FRESH_MS = 1_000;
const QUERY_LIMIT_MS = 2_000;

/**
 * Looks at the queue for metrics and health: at most once a second, over one connection of its own, so that neither a
 * scrape nor a probe ever waits for the pool of those who work.
 */
@Injectable()
export class QueueMonitor {
  private readonly logger = new Logger('QueueMonitor');
  private readonly pool: Pool;
  private readonly since = performance.now();
  private last?: { at: number; state: Promise<QueueState> };

  constructor(
    @Inject(JOBS_OPTIONS) private readonly options: JobsOptions,
    lifecycle: Lifecycle,
    @Optional() @Inject(HealthRegistry) health?: HealthRegistry,
  ) {
    this.pool = new Pool({
      connectionString: options.url,
      max: 1,
      application_name: 'eyrie-queue-monitor',
      connectionTimeoutMillis: QUERY_LIMIT_MS,
      query_timeout: QUERY_LIMIT_MS,
      idleTimeoutMillis: 30_000,
    });
    this.pool.on('error', (error) => this.logger.debug(`the connection was lost: ${error.message}`));
    const forgetMetrics = this.measure();
    if (health) this.register(health);
    lifecycle.onStop('queue monitor', async () => {
      for (const forget of forgetMetrics) forget();
      await this.pool.end();
    });
  }

  /** At most a second old. @throws when the database does not answer in time */
  state(): Promise<QueueState> {
    const now = performance.now();
    if (!this.last || now - this.last.at > FRESH_MS) {
      const state = this.ask();
      const last = { at: now, state };
      this.last = last;
      state.catch(() => {
        if (this.last === last) this.last = undefined;
      });
    }
    return this.last.state;
  }

  private async ask(): Promise<QueueState> {
    const { rows } = await this.pool.query<QueueState>(STATE, [`${this.options.takeOverAfterMs} ms`]);
    return rows[0]!;
  }

  private measure(): (() => void)[] {
    return [
      jobsInQueue.collectFrom(async () => {
        const { due, running, scheduled } = await this.state();
        return Object.entries({ due, running, scheduled }).map(([state, value]) => ({ labels: { state }, value }));
      }),
      oldestDueJob.collectFrom(async () => (await this.state()).oldestDueMs / 1000),
      liveWorkers.collectFrom(async () => (await this.state()).liveWorkers),
    ];
  }

  /** Neither is critical: the api goes on taking in what the workers will find when they are back. */
  private register(health: HealthRegistry): void {
    health.register({
      name: 'queue',
      critical: false,
      check: async () => {
        const { due, oldestDueMs } = await this.state();
        const status = oldestDueMs > this.options.queueAgeDegradedMs ? 'degraded' : 'healthy';
        return { status, details: { due, oldest_due_seconds: Math.round(oldestDueMs / 1000) } };
      },
    });
    health.register({
      name: 'worker',
      critical: false,
      check: async () => {
        const { liveWorkers } = await this.state();
        // A worker that started with this process has not beaten yet.
        const missed = liveWorkers === 0 && performance.now() - this.since > this.options.takeOverAfterMs;
        return { status: missed ? 'degraded' : 'healthy', details: { live_workers: liveWorkers } };
      },
    });
  }
}
