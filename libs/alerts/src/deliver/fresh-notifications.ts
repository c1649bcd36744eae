import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';

/** A notification that is to be sent, and what is known of its integration. Times in seconds since 1970. */
export interface NotificationRow {
  id: string;
  receiver: string;
  integration: string;
  body: string;
  attempts: number;
  /** When the request came that this tells of; null for reminders. */
  caused_at: number | null;
  retry_since: number;
  /** Of the circuit of its integration; null while it is closed. */
  open_until: number | null;
  /** Somebody finds out whether it is back. */
  probing: boolean;
}

const KEPT_MS = 500;
const MAX_KEPT = 500;
/** Larger ones are cheap to load beside what it takes to send them. */
const MAX_BODY_CHARACTERS = 32_768;

/**
 * The notifications that this process has committed a moment ago. Where it makes the first attempt, too, it need not load
 * them; what is no longer here is in the database.
 */
@Injectable()
export class FreshNotifications {
  private readonly kept = new Map<string, { row: NotificationRow; until: number }>();

  constructor(private readonly clock: Clock) {}

  keep(rows: readonly NotificationRow[]): void {
    const now = this.clock.now();
    for (const row of rows) {
      if (row.body.length <= MAX_BODY_CHARACTERS) this.kept.set(row.id, { row, until: now + KEPT_MS });
    }
    for (const [id, { until }] of this.kept) {
      if (until > now && this.kept.size <= MAX_KEPT) break;
      this.kept.delete(id);
    }
  }

  /** Answers it once. */
  take(id: string): NotificationRow | undefined {
    const kept = this.kept.get(id);
    this.kept.delete(id);
    return kept && kept.until > this.clock.now() ? kept.row : undefined;
  }
}
