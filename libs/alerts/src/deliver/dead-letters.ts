import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { JobQueue } from 'eyrie/jobs';
import { Clock } from '../clock.js';
import { deliverNotification } from './deliver-notification.task.js';
import { REVIVE } from './statements.js';

/** Of one call; what is left can be asked for again. */
const MAX_REPLAYED = 1_000;

/** Notifications that were given up. They are kept, and can be sent again: the same message under the same key. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly database: Database,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** False when there is no dead letter with this id. */
  async replay(id: string): Promise<boolean> {
    return (await this.revive(() => Promise.resolve([id]))) === 1;
  }

  /** Replays the oldest dead letters, of one receiver or of all, and answers how many. */
  async replayAll(receiver?: string): Promise<number> {
    return this.revive(async (query) => {
      const rows = await query<{ id: string }>(
        `SELECT id FROM notifications WHERE state = 'dead' AND ($1::text IS NULL OR receiver = $1) ORDER BY id LIMIT $2`,
        [receiver ?? null, MAX_REPLAYED],
      );
      return rows.map(({ id }) => id);
    });
  }

  private revive(
    find: (query: <Row>(text: string, parameters: unknown[]) => Promise<Row[]>) => Promise<string[]>,
  ): Promise<number> {
    return this.database.transaction(async (tx) => {
      const ids = await find((text, parameters) => tx.query(text, parameters));
      const rows = await tx.query<{ id: string }>(REVIVE, [ids, this.clock.now() / 1000]);
      await this.jobs.enqueueMany(
        tx,
        deliverNotification,
        rows.map(({ id }) => ({ payload: { id } })),
      );
      return rows.length;
    });
  }
}
