import { type JobsSettings } from './jobs.config.js';
import { type Task } from './task.js';

export const JOBS_WORKER_OPTIONS = Symbol('eyrie:jobs-worker-options');

/**
 * A task that the clock enqueues; `match` is five cron fields in UTC. One run, however many workers; one that was missed,
 * because no worker or no PostgreSQL was there, is caught up within ten minutes.
 */
export interface CronEntry {
  task: Task<never> | Task;
  match: string;
  payload?: unknown;
}

export const JOBS_OPTIONS = Symbol('eyrie:jobs-options');

export interface JobsOptions extends JobsSettings {
  /** Of the database that holds the queue. */
  url: string;
}

export interface JobsWorkerOptions extends JobsOptions {
  /** Every task that may be in the queue; each needs one provider marked `@HandlesTask`. */
  tasks: readonly Task[];
  cron?: readonly CronEntry[];
  /** How long jobs in hand may go on once the worker stops, in milliseconds; then their signals abort. */
  stopTimeoutMs: number;
}
