import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { JobQueue } from 'eyrie/jobs';
import { Clock } from '../clock.js';
import { deliverNotification } from './deliver-notification.task.js';
import { REVIVE } from './statements.js';

/** Of one transaction. */
const BATCH = 500;

interface Revived {
  id: string;
  /** The others wait for what is before them in their line. */
  starts: boolean;
}

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
    return (await this.revive([id])) === 1;
  }

  /**
   * Replays all dead letters, of one receiver or of every one, the oldest first, and answers how many. Each is looked at
   * once, so that it comes to an end even while some are given up again; what dies in between waits for the next call.
   */
  async replayAll(receiver?: string): Promise<number> {
    let replayed = 0;
    for (let after: string | undefined; ;) {
      const ids = await this.find(receiver, after);
      if (ids.length > 0) replayed += await this.revive(ids);
      if (ids.length < BATCH) return replayed;
      after = ids.at(-1);
    }
  }

  private async find(receiver: string | undefined, after: string | undefined): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM notifications
       WHERE state = 'dead' AND ($1::text IS NULL OR receiver = $1) AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT $3`,
      [receiver ?? null, after ?? null, BATCH],
    );
    return rows.map(({ id }) => id);
  }

  private revive(ids: readonly string[]): Promise<number> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<Revived>(REVIVE, [ids, this.clock.now() / 1000]);
      await this.jobs.enqueueMany(
        tx,
        deliverNotification,
        rows.filter(({ starts }) => starts).map(({ id }) => ({ payload: { id } })),
      );
      return rows.length;
    });
  }
}
