import { Logger } from '@nestjs/common';
import type { Queryable } from 'eyrie/database';

/** The most precise that `last_used_at` is, and the least time between two notes about one key. */
const precisionMs = 60_000;

/**
 * Notes when keys are used: beside the request, never on its way, and at most once a minute for a key, whichever process
 * notes it. A note that fails is dropped; the next use makes another.
 */
export class KeyUses {
  private readonly notedAt = new Map<string, number>();
  private readonly underway = new Set<Promise<void>>();
  private readonly logger = new Logger(KeyUses.name);

  constructor(
    private readonly database: Queryable,
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** Returns at once. */
  note(id: string): void {
    const now = this.now();
    if (now - (this.notedAt.get(id) ?? -Infinity) < precisionMs) return;
    this.notedAt.set(id, now);
    const note = this.write(id).finally(() => this.underway.delete(note));
    this.underway.add(note);
  }

  /** Resolves when all that was noted so far is written, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.underway);
  }

  private async write(id: string): Promise<void> {
    try {
      await this.database.query(
        `UPDATE api_keys SET last_used_at = now()
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= now() - interval '1 minute')`,
        [id],
      );
    } catch (error) {
      this.logger.debug(`The use of key ${id} was not noted: ${String(error)}`);
    }
  }
}
