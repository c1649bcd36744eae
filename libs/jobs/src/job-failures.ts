import { redact } from 'eyrie/logging';
import { type Job } from 'graphile-worker';
import { type Pool } from 'pg';
import { type StoredPayload } from './job-queue.js';

const RECORD = `
  INSERT INTO job_failures (task, job_id, attempt, final, payload, error, worker)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;

/** graphile-worker forgets a job once it is done; this remembers each attempt that failed, and why. */
export class JobFailures {
  constructor(
    private readonly pool: Pool,
    private readonly workerId: () => string,
  ) {}

  async record(job: Job, error: unknown): Promise<void> {
    const payload = job.payload as StoredPayload;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const final = job.attempts >= job.max_attempts;
    await this.pool.query(RECORD, [
      job.task_identifier,
      job.id,
      job.attempts,
      final,
      JSON.stringify(payload.data ?? null),
      redact(text).slice(0, 4_000),
      this.workerId(),
    ]);
  }

  /** Drops what is older than the limit. */
  async prune(keptMs: number): Promise<void> {
    await this.pool.query(`DELETE FROM job_failures WHERE failed_at < now() - $1::interval`, [`${keptMs} ms`]);
  }
}
