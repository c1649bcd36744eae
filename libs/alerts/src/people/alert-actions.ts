import { Injectable } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { Clock } from '../clock.js';
import { EventWrites } from '../event-writes.js';
import { Origin } from '../ingest/origin.js';
import { APPEND_EVENTS } from '../ingest/statements.js';
import { type AlertAttention, attentionOf, type AttentionRow } from './attention.js';
import { recordAudit } from './audit-log.js';
import { type Requester } from './requester.js';
import {
  ACKNOWLEDGE,
  DROP_SNOOZES,
  LAST_EVENT,
  LOCK,
  RESOLVE,
  RESTART_ESCALATION,
  SNOOZE,
  UNACKNOWLEDGE,
} from './statements.js';

export class AlertNotFound extends Error {}

/** What was asked for makes no sense any more: the episode is over. */
export class AlertEnded extends Error {}

type ActionType = 'acknowledged' | 'unacknowledged' | 'commented' | 'resolved' | 'snoozed';

interface Action {
  readonly type: ActionType;
  readonly text?: string | undefined;
  /** RFC 3339; null: the snooze was ended. */
  readonly until?: string | null;
}

interface Change {
  readonly tx: Queryable;
  readonly alert: AttentionRow;
  readonly now: number;
}

/**
 * What people do about one episode of an alert. Each change is committed together with an event of the alert's history and
 * an entry of the audit log. To ask twice for the same changes nothing.
 */
@Injectable()
export class AlertActions {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly events: EventWrites,
  ) {}

  /** What people have said about an alert. */
  async attention(id: string): Promise<AlertAttention | undefined> {
    return (await attentionOf(this.database, [id], this.clock.now())).get(id);
  }

  /**
   * Somebody takes care: no reminders, no further steps of an escalation. Who acknowledges after another takes over.
   * @throws AlertNotFound, AlertEnded
   */
  acknowledge(id: string, by: Requester, text?: string): Promise<AlertAttention> {
    return this.change(id, by, async ({ tx, alert, now }) => {
      if (alert.over) throw new AlertEnded();
      if (alert.acknowledged_by === by.actor) return unlessRepeated(tx, id, by, { type: 'acknowledged', text });
      await tx.query(ACKNOWLEDGE, [id, by.actor, now / 1000]);
      return { type: 'acknowledged', text };
    });
  }

  /** Nobody takes care after all: reminders come again, an escalation begins anew. @throws AlertNotFound */
  unacknowledge(id: string, by: Requester, text?: string): Promise<AlertAttention> {
    return this.change(id, by, async ({ tx, alert, now }) => {
      if (alert.acknowledged_by === null) return undefined;
      await tx.query(UNACKNOWLEDGE, [id]);
      await tx.query(RESTART_ESCALATION, [id, now / 1000]);
      return { type: 'unacknowledged', text };
    });
  }

  /** @throws AlertNotFound */
  comment(id: string, by: Requester, text: string): Promise<AlertAttention> {
    return this.change(id, by, ({ tx }) => unlessRepeated(tx, id, by, { type: 'commented', text }));
  }

  /**
   * Ends the episode, and a snooze with it; its groups are told at their next flush. Whoever sends the alert again, as
   * Prometheus does while its rule holds, reopens it, and that is told: who resolves it means that it is over.
   * @throws AlertNotFound
   */
  resolve(id: string, by: Requester, text?: string): Promise<AlertAttention> {
    return this.change(id, by, async ({ tx, alert, now }) => {
      if (alert.over) return undefined;
      await tx.query(RESOLVE, [id, now / 1000, new Origin(now).column]);
      if (alert.snoozed_until !== null) await tx.query(SNOOZE, [alert.fingerprint, now / 1000]);
      return { type: 'resolved', text };
    });
  }

  /**
   * Nobody is told of the alert with these labels until then, in this episode or a later one; `undefined` ends that now.
   * @param until in milliseconds
   * @throws AlertNotFound, AlertEnded
   */
  snooze(id: string, by: Requester, until: number | undefined, text?: string): Promise<AlertAttention> {
    return this.change(id, by, async ({ tx, alert, now }) => {
      if (alert.over && until !== undefined) throw new AlertEnded();
      const before = alert.snoozed_until === null ? undefined : Math.round(alert.snoozed_until * 1000);
      if (before === until) return undefined;
      await tx.query(DROP_SNOOZES, [now / 1000]);
      await tx.query(SNOOZE, [alert.fingerprint, (until ?? now) / 1000]);
      return { type: 'snoozed', text, until: until === undefined ? null : new Date(until).toISOString() };
    });
  }

  /** `make` answers what is to be recorded, or nothing where nothing has changed. */
  private async change(
    id: string,
    by: Requester,
    make: (change: Change) => Promise<Action | undefined>,
  ): Promise<AlertAttention> {
    const now = this.clock.now();
    const work = async (tx: Queryable) => {
      const [alert] = await tx.query<AttentionRow>(LOCK, [id, now / 1000]);
      if (!alert) throw new AlertNotFound();
      const action = await make({ tx, alert, now });
      if (action) await record(tx, id, by, action, now);
      return { changed: action !== undefined, attention: (await attentionOf(tx, [id], now)).get(id)! };
    };
    const { changed, attention } = await retryTransient(() => this.database.transaction(work));
    if (changed) this.events.committed();
    return attention;
  }
}

/** What was said, unless it was the last thing that was said: then its answer was lost, and the request came again. */
async function unlessRepeated(
  tx: Queryable,
  id: string,
  { actor }: Requester,
  action: Action & { type: 'acknowledged' | 'commented' },
): Promise<Action | undefined> {
  if (action.text === undefined) return undefined;
  const [last] = await tx.query<{ type: string; actor: string; data: { text?: string } | null }>(LAST_EVENT, [id]);
  const repeated = last?.type === action.type && last.actor === actor && last.data?.text === action.text;
  return repeated ? undefined : action;
}

async function record(tx: Queryable, id: string, by: Requester, { type, ...said }: Action, now: number): Promise<void> {
  const { address, userAgent, requestId } = by;
  await tx.query(APPEND_EVENTS, [
    [id],
    [type],
    [by.actor],
    [JSON.stringify({ ...said, address, userAgent, requestId })],
    now / 1000,
  ]);
  await recordAudit(tx, by, { action: `alert.${type}`, subject: `alert:${id}`, data: said }, now);
}
