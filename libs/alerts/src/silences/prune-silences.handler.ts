import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { HandlesTask, type JobInfo, type TaskHandler } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { pruneSilences } from './prune-silences.task.js';

const BATCH = 1_000;
const PRUNE = `
  WITH old AS (
    DELETE FROM silences WHERE id IN (SELECT id FROM silences WHERE ends_at < to_timestamp($1) LIMIT $2) RETURNING id
  ), events AS (DELETE FROM silence_events USING old WHERE silence_id = old.id)
  SELECT count(*)::int AS pruned FROM old`;

/** In batches, so that no transaction is long. No index holds an expired silence, so nobody has to be told. */
@Injectable()
@HandlesTask(pruneSilences)
export class PruneSilencesHandler implements TaskHandler<object> {
  private readonly logger = new Logger('Retention');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'retentionMs'>,
  ) {}

  async handle(_payload: object, { signal }: Pick<JobInfo, 'signal'>): Promise<void> {
    const before = (this.clock.now() - this.options.retentionMs) / 1000;
    let total = 0;
    for (let pruned = BATCH; pruned === BATCH && !signal.aborted; total += pruned) {
      const [row] = await this.database.query<{ pruned: number }>(PRUNE, [before, BATCH]);
      pruned = row!.pruned;
    }
    if (total > 0) this.logger.log(`pruned ${total} silences`);
  }
}
