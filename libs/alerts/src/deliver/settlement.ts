import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { JobQueue } from 'eyrie/jobs';
import { Clock } from '../clock.js';
import { type Delivery } from '../notify/index.js';
import { Batcher } from './batcher.js';
import { deliverNotification } from './deliver-notification.task.js';
import { COUNT_DOWN, PROMOTE, RECORD_ATTEMPTS, SETTLE } from './statements.js';

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

interface SettledRow {
  id: string;
  attempts: number;
  group_id: string;
  integration: string;
  state: string;
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
    await this.database.transaction(async (tx) => {
      const sorted = attempts.toSorted((one, other) => (one.id < other.id ? -1 : 1));
      const rows = await tx.query<SettledRow>(SETTLE, [
        sorted.map(({ id }) => id),
        sorted.map(stateAfter),
        sorted.map(({ error }) => error ?? null),
        this.clock.now() / 1000,
      ]);
      await this.record(tx, sorted, rows);
      const counted = new Set(rows.map(({ id }) => id));
      const retries = sorted.filter(({ id, retryAt }) => retryAt !== undefined && counted.has(id));
      const jobs = retries.map(({ id, retryAt }) => ({ payload: { id }, runAt: new Date(retryAt!) }));
      await this.jobs.enqueueMany(tx, deliverNotification, jobs);
      await this.moveOn(
        tx,
        rows.filter(({ state }) => state !== 'pending'),
      );
    });
    return attempts.map(() => undefined);
  }

  private async record(tx: Queryable, attempts: readonly SettledAttempt[], rows: readonly SettledRow[]): Promise<void> {
    const numbers = new Map(rows.map((row) => [row.id, row.attempts]));
    const counted = attempts.filter(({ id }) => numbers.has(id));
    if (counted.length === 0) return;
    await tx.query(RECORD_ATTEMPTS, [
      counted.map(({ id }) => id),
      counted.map(({ id }) => numbers.get(id)),
      counted.map(({ at }) => at / 1000),
      counted.map(({ durationMs }) => Math.round(durationMs)),
      counted.map(({ delivery }) => delivery.outcome),
      counted.map(({ delivery }) => delivery.statusCode ?? null),
      counted.map(({ error }) => error ?? null),
    ]);
  }

  /** Notifications of one group to one integration go out one after the other: the next may start. */
  private async moveOn(tx: Queryable, settled: readonly SettledRow[]): Promise<void> {
    if (settled.length === 0) return;
    const columns = [settled.map(({ group_id }) => group_id), settled.map(({ integration }) => integration)];
    const lines = await tx.query<{ group_id: string; integration: string; outstanding: number }>(COUNT_DOWN, columns);
    const busy = lines.filter(({ outstanding }) => outstanding > 0);
    if (busy.length === 0) return;
    const promoted = await tx.query<{ id: string }>(PROMOTE, [
      busy.map(({ group_id }) => group_id),
      busy.map(({ integration }) => integration),
      this.clock.now() / 1000,
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
