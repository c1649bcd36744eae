import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database, retryTransient } from 'eyrie/database';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { Batcher } from './batcher.js';
import { type CircuitChange, healthParameters } from './health-statements.js';
import { healthUpdates, type ObservedAttempt } from './health-update.js';
import { SETTLE } from './statements.js';

/** How an attempt ended and what follows from it. Times in milliseconds. */
export interface SettledAttempt extends ObservedAttempt {
  readonly id: string;
  /** When a recoverable fault is tried again; undefined: it is over, delivered or dead. */
  readonly retryAt?: number;
  readonly error?: string;
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
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'notify'>,
  ) {}

  /** Resolves when it is committed. */
  settle(attempt: SettledAttempt): Promise<void> {
    return this.batcher.add(attempt);
  }

  private async write(attempts: readonly SettledAttempt[]): Promise<void[]> {
    const now = this.clock.now();
    const parameters = [
      attempts.map(({ id }) => id),
      attempts.map(stateAfter),
      attempts.map(({ error }) => error),
      attempts.map(({ at }) => at / 1000),
      attempts.map(({ durationMs }) => Math.round(durationMs)),
      attempts.map(({ delivery }) => delivery.outcome),
      attempts.map(({ delivery }) => delivery.statusCode),
      attempts.map(({ retryAt }) => retryAt && retryAt / 1000),
      now / 1000,
      ...healthParameters(healthUpdates(attempts), this.options.notify, now),
    ];
    const rows = await retryTransient(() =>
      this.database.query<{ circuits: CircuitChange[] | null }>(SETTLE, parameters),
    );
    for (const change of rows[0]?.circuits ?? []) this.report(change);
    return attempts.map(() => undefined);
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
