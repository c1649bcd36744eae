import { hostname } from 'node:os';
import { type Pool } from 'pg';

const BEAT = `
  INSERT INTO job_workers (id, host, pid) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()`;

/** The dead have not beaten in time. `SKIP LOCKED` lets one survivor bury each of them. */
const SILENT = `
  DELETE FROM job_workers WHERE id IN (
    SELECT id FROM job_workers WHERE seen_at < clock_timestamp() - $1::interval FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** Who holds a lock without being on the list was killed before its first beat. Reads the whole queue: asked seldom. */
const UNKNOWN = `
  SELECT DISTINCT locked_by AS id FROM graphile_worker.jobs
  WHERE locked_at < clock_timestamp() - $1::interval AND locked_by NOT IN (SELECT id FROM job_workers)`;
const BEATS_BETWEEN_CENSUSES = 10;

/** Frees what they have locked, for which graphile-worker itself would wait four hours, and wakes the living. */
const takeOver = (dead: string) => `
  WITH dead AS (${dead}), freed AS (SELECT array_agg(id) AS ids FROM dead)
  SELECT ids, graphile_worker.force_unlock_workers(ids), pg_notify('jobs:insert', '{"count":1000}')
  FROM freed WHERE ids IS NOT NULL`;

/** Says that this worker process lives, and takes over the jobs of those that no longer do. */
export class Heartbeat {
  private timer?: NodeJS.Timeout;
  private beating?: Promise<void>;
  private beats = 0;

  constructor(
    private readonly pool: Pool,
    private readonly workerId: string,
    private readonly options: {
      heartbeatMs: number;
      takeOverAfterMs: number;
      onTakeOver: (ids: string[]) => void;
      onError: (error: unknown) => void;
    },
  ) {}

  start(): void {
    this.beating = this.beat().finally(() => {
      if (this.beating) this.timer = setTimeout(() => this.start(), this.options.heartbeatMs);
    });
  }

  /** Frees what workers have locked of which it is known that they are gone. */
  async bury(workerIds: readonly string[]): Promise<void> {
    if (workerIds.length === 0) return;
    await this.pool.query(takeOver(`SELECT unnest($1::text[]) AS id`), [workerIds]);
    await this.pool.query('DELETE FROM job_workers WHERE id = ANY($1::text[])', [workerIds]);
  }

  /** Leaves the list of the living at once, so that nothing has to be taken over later. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const last = this.beating;
    this.beating = undefined;
    await last;
    await this.pool.query('DELETE FROM job_workers WHERE id = $1', [this.workerId]).catch(this.options.onError);
  }

  private async beat(): Promise<void> {
    try {
      await this.pool.query(BEAT, [this.workerId, hostname(), process.pid]);
      await this.takeOver(SILENT);
      if (this.beats++ % BEATS_BETWEEN_CENSUSES === 0) await this.takeOver(UNKNOWN);
    } catch (error) {
      this.options.onError(error);
    }
  }

  private async takeOver(dead: string): Promise<void> {
    const limit = `${this.options.takeOverAfterMs} ms`;
    const { rows } = await this.pool.query<{ ids: string[] }>(takeOver(dead), [limit]);
    for (const { ids } of rows) this.options.onTakeOver(ids);
  }
}
