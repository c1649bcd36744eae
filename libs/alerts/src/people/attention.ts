import { type Queryable } from 'eyrie/database';
import { timeText } from '../dispatch/render.js';
import { ATTENTION } from './statements.js';

/** What people have said about an alert. Times are RFC 3339. */
export interface AlertAttention {
  id: string;
  state: 'firing' | 'resolved';
  acknowledgedBy: string | null;
  acknowledgedAt: string | null;
  /** Nobody is told of the alert until then; null when it is not snoozed. */
  snoozedUntil: string | null;
}

export interface AttentionRow {
  id: string;
  fingerprint: string;
  over: boolean;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
  snoozed_until: number | null;
}

/** What people have said about alerts, by id. `now` in milliseconds. */
export async function attentionOf(
  database: Queryable,
  ids: readonly string[],
  now: number,
): Promise<Map<string, AlertAttention>> {
  const rows = await database.query<AttentionRow>(ATTENTION, [ids, now / 1000]);
  return new Map(rows.map((row) => [row.id, toAttention(row)]));
}

function toAttention(row: AttentionRow): AlertAttention {
  return {
    id: row.id,
    state: row.over ? 'resolved' : 'firing',
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAt: row.acknowledged_at === null ? null : timeText(row.acknowledged_at),
    snoozedUntil: row.snoozed_until === null ? null : timeText(row.snoozed_until),
  };
}
