import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { HandlesTask, type JobInfo, type PayloadOf, type TaskHandler } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { nextAttempt, type Delivery, type NotificationPayload } from '../notify/index.js';
import { Batcher } from './batcher.js';
import { deliverNotification } from './deliver-notification.task.js';
import { Notifiers } from './notifiers.js';
import { Settlement } from './settlement.js';
import { LOAD } from './statements.js';

interface NotificationRow {
  id: string;
  integration: string;
  body: string;
  attempts: number;
  retry_since: number;
}

const MAX_BATCH = 200;

/** Makes one attempt to deliver a notification and settles how it ended. */
@Injectable()
@HandlesTask(deliverNotification)
export class DeliverNotificationHandler implements TaskHandler<PayloadOf<typeof deliverNotification>> {
  private readonly logger = new Logger('Deliver');
  private readonly loader = new Batcher<string, NotificationRow | undefined>((ids) => this.load(ids), MAX_BATCH);

  constructor(
    private readonly database: Database,
    private readonly notifiers: Notifiers,
    private readonly settlement: Settlement,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  async handle({ id }: { id: string }, { signal }: JobInfo): Promise<void> {
    const row = await this.loader.add(id);
    // Settled already: this job is the repeat of one whose worker died after the settlement.
    if (!row) return;
    const at = this.clock.now();
    const delivery = await this.attempt(row, signal);
    const durationMs = this.clock.now() - at;
    const follow = this.followUp(row, delivery, at);
    if (delivery.outcome !== 'delivered') {
      const outlook = follow.retryAt === undefined ? 'kept as a dead letter' : 'will be tried again';
      this.logger.warn(
        `notification ${id} to ${row.integration} failed: ${follow.error ?? delivery.outcome}; ${outlook}`,
      );
    }
    await this.settlement.settle({ id, at, durationMs, delivery, ...follow });
  }

  private async attempt(row: NotificationRow, signal: AbortSignal): Promise<Delivery> {
    const notifier = this.notifiers.get(row.integration);
    if (!notifier) return { outcome: 'final', error: 'the configuration no longer has this integration' };
    const payload = JSON.parse(row.body) as NotificationPayload;
    return notifier.notify({ id: row.id, attempt: row.attempts + 1, payload, body: row.body, signal });
  }

  private followUp(row: NotificationRow, delivery: Delivery, now: number): { retryAt?: number; error?: string } {
    if (delivery.outcome !== 'recoverable') return delivery.error ? { error: delivery.error } : {};
    const next = nextAttempt(
      { attempt: row.attempts + 1, elapsedMs: now - row.retry_since * 1000, retryAfterMs: delivery.retryAfterMs },
      this.options.notify,
    );
    return next.retry
      ? { retryAt: this.clock.now() + next.delayMs, error: delivery.error }
      : { error: `${next.reason}; last: ${delivery.error}` };
  }

  private async load(ids: readonly string[]): Promise<(NotificationRow | undefined)[]> {
    const rows = await this.database.query<NotificationRow>(LOAD, [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id));
  }
}
