import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { type JobOrigin, JobQueue } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { Batcher } from './batcher.js';
import { deliverNotification } from './deliver-notification.task.js';
import { type CircuitChange, healthParameters } from './health-statements.js';
import { healthUpdates, type ObservedAttempt } from './health-update.js';
import { PROMOTE, SETTLE } from './statements.js';

/** How an attempt ended and what follows from it. Times in milliseconds. */
export interface SettledAttempt extends ObservedAttempt {
  readonly id: string;
  /** When a recoverable fault is tried again; undefined: it is over, delivered or dead. */
  readonly retryAt?: number;
  readonly error?: string;
}

/** A group and integration whose notifications go out one after the other; null in the row that ends the answer. */
interface LineRow {
  group_id: string | null;
  integration: string | null;
  circuits: CircuitChange[] | null;
}

const MAX_BATCH = 200;

/**
 * Writes down how attempts ended, those of concurrent jobs together. Until it has, the notification counts as not
 * delivered: whoever dies in between repeats it with the same key.
 */
@Injectable()
export class Settlement {
  private readonly logger = new Logger('Deliver');
  private readonly batcher = new Batcher<SettledAttempt, void>((attempts) => this.write(attempts), MAX_BATCH);

  constructor(
    private readonly database: Database,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  /** Resolves when it is committed. */
  settle(attempt: SettledAttempt): Promise<void> {
    return this.batcher.add(attempt);
  }

  private async write(attempts: readonly SettledAttempt[]): Promise<void[]> {
    const circuits = await retryTransient(() => this.database.transaction((tx) => this.commit(tx, attempts)));
    circuits.forEach((change) => this.report(change));
    return attempts.map(() => undefined);
  }

  private async commit(tx: Queryable, attempts: readonly SettledAttempt[]): Promise<CircuitChange[]> {
    const now = this.clock.now() / 1000;
    const rows = await tx.query<LineRow>(SETTLE, [
      attempts.map(({ id }) => id),
      attempts.map(stateAfter),
      attempts.map(({ error }) => error),
      attempts.map(({ at }) => at / 1000),
      attempts.map(({ durationMs }) => Math.round(durationMs)),
      attempts.map(({ delivery }) => delivery.outcome),
      attempts.map(({ delivery }) => delivery.statusCode),
      attempts.map(({ retryAt }) => retryAt && retryAt / 1000),
      now,
      ...healthParameters(healthUpdates(attempts), this.options.notify, now * 1000),
    ]);
    const circuits = rows.flatMap(({ circuits }) => circuits ?? []);
    const busy = rows.filter(({ group_id }) => group_id !== null);
    if (busy.length === 0) return circuits;
    const promoted = await tx.query<{ id: string; origin: JobOrigin | null }>(PROMOTE, [
      busy.map(({ group_id }) => group_id),
      busy.map(({ integration }) => integration),
      now,
    ]);
    await this.jobs.enqueueMany(
      tx,
      deliverNotification,
      promoted.map(({ id, origin }) => ({ payload: { id }, origin })),
    );
    return circuits;
  }

  private report({ integration, until }: CircuitChange): void {
    if (until === null) this.logger.log(`${integration} is back`);
    else {
      const seconds = Math.max(until - this.clock.now() / 1000, 0).toFixed(1);
      this.logger.warn(`${integration} fails again and again: left alone for ${seconds} s`);
    }
  }
}

function stateAfter({ delivery, retryAt }: SettledAttempt): string {
  if (delivery.outcome === 'delivered') return 'delivered';
  return retryAt === undefined ? 'dead' : 'pending';
}
