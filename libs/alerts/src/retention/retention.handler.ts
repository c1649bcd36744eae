import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { HandlesTask, type JobInfo, type TaskHandler } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { pruneHistory } from './retention.task.js';

const BATCH = 5_000;

/** In batches, so that no transaction is long; what is still firing, grouped or under way is never old. */
const PRUNE_ALERTS = `
  WITH old AS (
    DELETE FROM alerts WHERE id IN (
      SELECT id FROM alerts WHERE state = 'resolved' AND last_seen_at < to_timestamp($1)
        AND NOT EXISTS (SELECT FROM group_alerts WHERE alert_id = alerts.id)
      LIMIT $2)
    RETURNING id
  ), events AS (DELETE FROM alert_events USING old WHERE alert_id = old.id)
  SELECT count(*)::int AS pruned FROM old`;
const PRUNE_NOTIFICATIONS = `
  WITH old AS (
    DELETE FROM notifications WHERE id IN (
      SELECT id FROM notifications WHERE state IN ('delivered', 'dead') AND settled_at < to_timestamp($1) LIMIT $2)
    RETURNING id
  ), attempts AS (DELETE FROM notification_attempts USING old WHERE notification_id = old.id)
  SELECT count(*)::int AS pruned FROM old`;
/** Looks at the oldest only, which come first by their ids. */
const PRUNE_AUDIT = `
  WITH old AS (
    DELETE FROM audit_log WHERE id IN (
      SELECT id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT $2) AS oldest WHERE at < to_timestamp($1))
    RETURNING id
  )
  SELECT count(*)::int AS pruned FROM old`;
const PRUNE_LOG = `
  DELETE FROM notification_log WHERE outstanding = 0 AND notified_at < to_timestamp($1)
    AND NOT EXISTS (SELECT FROM alert_groups WHERE id = notification_log.group_id)`;

@Injectable()
@HandlesTask(pruneHistory)
export class PruneHistoryHandler implements TaskHandler<object> {
  private readonly logger = new Logger('Retention');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'retentionMs' | 'auditKeptMs'>,
  ) {}

  async handle(_payload: object, { signal }: Pick<JobInfo, 'signal'>): Promise<void> {
    const { retentionMs, auditKeptMs } = this.options;
    const now = this.clock.now();
    const before = (now - retentionMs) / 1000;
    const alerts = await this.pruneAll(PRUNE_ALERTS, before, signal);
    const notifications = await this.pruneAll(PRUNE_NOTIFICATIONS, before, signal);
    await this.database.query(PRUNE_LOG, [before]);
    const audited =
      auditKeptMs === undefined ? 0 : await this.pruneAll(PRUNE_AUDIT, (now - auditKeptMs) / 1000, signal);
    if (alerts + notifications + audited > 0) {
      this.logger.log(
        `pruned ${alerts} alerts, ${notifications} notifications and ${audited} entries of the audit log`,
      );
    }
  }

  private async pruneAll(statement: string, before: number, signal: AbortSignal): Promise<number> {
    let total = 0;
    for (let pruned = BATCH; pruned === BATCH && !signal.aborted; total += pruned) {
      const [row] = await this.database.query<{ pruned: number }>(statement, [before, BATCH]);
      pruned = row!.pruned;
    }
    return total;
  }
}
