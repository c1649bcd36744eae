import { Injectable } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { JobQueue } from 'eyrie/jobs';
import { Clock } from '../clock.js';
import { type Delivery } from '../notify/index.js';
import { Batcher } from './batcher.js';
import { deliverNotification } from './deliver-notification.task.js';
import { PROMOTE, SETTLE } from './statements.js';

/** How an attempt ended and what follows from it. Times in milliseconds. */
export interface SettledAttempt {
  readonly id: string;
  readonly at: number;
  readonly durationMs: number;
  readonly delivery: Delivery;
  /** When a recoverable fault is tried again; undefined: it is over, delivered or dead. */
  readonly retryAt?: number;
  readonly error?: string;
}

/** A group and integration whose notifications go out one after the other; null in the row that ends the answer. */
interface LineRow {
  group_id: string | null;
  integration: string | null;
}

const MAX_BATCH = 200;

/**
 * Writes down how attempts ended, those of concurrent jobs together. Until it has, the notification counts as not
 * delivered: whoever dies in between repeats it with the same key.
 */
@Injectable()
export class Settlement {
  private readonly batcher = new Batcher<SettledAttempt, void>((attempts) => this.write(attempts), MAX_BATCH);

  constructor(
    private readonly database: Database,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Resolves when it is committed. */
  settle(attempt: SettledAttempt): Promise<void> {
    return this.batcher.add(attempt);
  }

  private async write(attempts: readonly SettledAttempt[]): Promise<void[]> {
    await retryTransient(() => this.database.transaction((tx) => this.commit(tx, attempts)));
    return attempts.map(() => undefined);
  }

  private async commit(tx: Queryable, attempts: readonly SettledAttempt[]): Promise<void> {
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
    ]);
    const busy = rows.filter(({ group_id }) => group_id !== null);
    if (busy.length === 0) return;
    const promoted = await tx.query<{ id: string }>(PROMOTE, [
      busy.map(({ group_id }) => group_id),
      busy.map(({ integration }) => integration),
      now,
    ]);
    await this.jobs.enqueueMany(
      tx,
      deliverNotification,
      promoted.map(({ id }) => ({ payload: { id } })),
    );
  }
}

function stateAfter({ delivery, retryAt }: SettledAttempt): string {
  if (delivery.outcome === 'delivered') return 'delivered';
  return retryAt === undefined ? 'dead' : 'pending';
}
