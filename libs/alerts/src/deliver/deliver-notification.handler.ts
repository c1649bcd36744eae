import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { HandlesTask, type JobInfo, type PayloadOf, type TaskHandler } from 'eyrie/jobs';
import { alertToDelivery, attemptDuration, deliveryAttempts } from '../alerts.metrics.js';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { nextAttempt, type Delivery, type NotificationPayload } from '../notify/index.js';
import { type Admission, Admissions } from './admission.js';
import { Batcher } from './batcher.js';
import { deliverNotification } from './deliver-notification.task.js';
import { FreshNotifications, type NotificationRow } from './fresh-notifications.js';
import { integrationLabels } from './integration-labels.js';
import { Notifiers } from './notifiers.js';
import { PutBack } from './put-back.js';
import { Settlement } from './settlement.js';
import { LOAD } from './statements.js';

const MAX_BATCH = 200;

/** Makes one attempt to deliver a notification and settles how it ended, or puts it back until its time comes. */
@Injectable()
@HandlesTask(deliverNotification)
export class DeliverNotificationHandler implements TaskHandler<PayloadOf<typeof deliverNotification>> {
  private readonly logger = new Logger('Deliver');
  private readonly loader = new Batcher<string, NotificationRow | undefined>((ids) => this.load(ids), MAX_BATCH);

  constructor(
    private readonly database: Database,
    private readonly fresh: FreshNotifications,
    private readonly notifiers: Notifiers,
    private readonly admissions: Admissions,
    private readonly putBack: PutBack,
    private readonly settlement: Settlement,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  async handle(job: PayloadOf<typeof deliverNotification>, { signal }: JobInfo): Promise<void> {
    const { id, inTurn = false } = job;
    const row = (job.first && this.fresh.take(id)) || (await this.loader.add(id));
    // Settled already: this job is the repeat of one whose worker died after the settlement.
    if (!row) return;
    const admission = await this.admissions.admit({
      receiver: row.receiver,
      integration: row.integration,
      openUntil: row.open_until === null ? undefined : row.open_until * 1000,
      probing: row.probing,
      deadline: row.retry_since * 1000 + this.options.notify.giveUpAfterMs,
      inTurn,
    });
    if (admission.admitted) await this.deliver(row, admission, signal);
    else await this.putBack.add({ id, ...admission });
  }

  private async deliver(
    row: NotificationRow,
    { probe, leave }: Extract<Admission, { admitted: true }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { id, integration } = row;
    const at = this.clock.now();
    const delivery = await this.attempt(row, signal).finally(leave);
    const durationMs = this.clock.now() - at;
    const follow = this.followUp(row, delivery, at);
    this.measure(row, delivery, durationMs, follow.retryAt);
    if (delivery.outcome !== 'delivered') {
      const outlook = follow.retryAt === undefined ? 'kept as a dead letter' : 'will be tried again';
      this.logger.warn(
        `notification ${id} to ${row.integration} failed: ${follow.error ?? delivery.outcome}; ${outlook}`,
      );
    }
    const cutOff = signal.aborted && delivery.outcome !== 'delivered';
    await this.settlement.settle({ id, integration, at, durationMs, delivery, cutOff, probe, ...follow });
  }

  private measure(row: NotificationRow, { outcome }: Delivery, durationMs: number, retryAt: number | undefined): void {
    const labels = { ...integrationLabels(row.integration), receiver: row.receiver };
    const told = outcome === 'delivered' ? outcome : retryAt === undefined ? 'dead' : 'retried';
    deliveryAttempts.inc({ ...labels, outcome: told });
    attemptDuration.observe(labels, durationMs / 1000);
    if (outcome === 'delivered' && row.caused_at !== null) {
      alertToDelivery.observe(labels, Math.max(this.clock.now() / 1000 - row.caused_at, 0));
    }
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
