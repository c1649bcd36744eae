import { Injectable } from '@nestjs/common';
import { currentOrigin, type JobOrigin } from './job-origin.js';
import { type Task } from './task.js';

/** Whatever runs SQL in the caller's transaction: eyrie/database's `Queryable` is one. */
export interface Transaction {
  query<Row>(statement: string | { name: string; text: string }, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** A job to be: its payload and the time before which it must not start; default: at once. */
export interface JobSpec<P> {
  payload: P;
  runAt?: Date;
  /** Default: what runs now. */
  origin?: JobOrigin | null;
}

/** How a payload lies in the queue. */
export interface StoredPayload {
  data: unknown;
  origin?: JobOrigin | null;
}

const ADD_JOBS = {
  name: 'jobs:add',
  text: `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
           SELECT ROW($1, payload, NULL, run_at, $4, NULL, NULL, NULL)::graphile_worker.job_spec
           FROM unnest($2::json[], $3::timestamptz[]) AS job(payload, run_at)))`,
};

/**
 * A SELECT that puts jobs into the queue, for statements that find out themselves which jobs they call for: as the body of
 * a CTE, which the main query has to refer to. `rows` is a query with the columns `payload` (json, as the task's schema
 * wants it; nobody checks it here), `run_at` (timestamptz or null) and `origin` (json as {@link JobOrigin}, or null). No
 * row of it, no job.
 */
export function enqueueSql(task: Task, rows: string): string {
  const spec = `ROW('${task.name}', json_build_object('data', payload, 'origin', origin), NULL, run_at, ${task.options.maxAttempts ?? 'NULL'},
    NULL, NULL, NULL)::graphile_worker.job_spec`;
  return `SELECT count(*) FROM (SELECT array_agg(${spec}) AS specs FROM (${rows}) AS job) AS wanted,
    graphile_worker.add_jobs(wanted.specs) WHERE wanted.specs IS NOT NULL`;
}

/**
 * Puts jobs into the queue inside the caller's transaction: they exist if, and only if, it commits.
 * @throws z.ZodError when a payload does not fit its task's schema; nothing is enqueued then.
 */
@Injectable()
export class JobQueue {
  async enqueue<P>(tx: Transaction, task: Task<P>, payload: P, runAt?: Date): Promise<void> {
    await this.enqueueMany(tx, task, [{ payload, runAt }]);
  }

  /** One statement, however many jobs. */
  async enqueueMany<P>(tx: Transaction, task: Task<P>, jobs: readonly JobSpec<P>[]): Promise<void> {
    if (jobs.length === 0) return;
    const here = currentOrigin();
    const stored = jobs.map(({ payload, origin = here }) =>
      JSON.stringify({ data: task.schema.parse(payload), origin } satisfies StoredPayload),
    );
    const times = jobs.map(({ runAt }) => runAt?.toISOString() ?? null);
    await tx.query(ADD_JOBS, [task.name, stored, times, task.options.maxAttempts ?? null]);
  }
}
