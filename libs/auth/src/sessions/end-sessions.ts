import type { Queryable } from 'eyrie/database';
import { announceAccessChange } from '../access-changes.js';

/** Why a session ended before its time. */
export type EndReason = 'logout' | 'revoked' | 'password-changed' | 'disabled' | 'reuse';

export interface SessionsToEnd {
  userId: string;
  /** Only this one. */
  only?: string;
  /** All but this one. */
  except?: string;
}

/** Ends sessions of a person, and tells every process at the commit. Returns how many there were. */
export async function endSessions(tx: Queryable, which: SessionsToEnd, reason: EndReason): Promise<number> {
  const ended = await tx.query(
    `UPDATE sessions SET ended_at = now(), end_reason = $4
     WHERE user_id = $1 AND ended_at IS NULL AND id = coalesce($2, id) AND id IS DISTINCT FROM $3 RETURNING id`,
    [which.userId, which.only ?? null, which.except ?? null, reason],
  );
  if (ended.length > 0) await announceAccessChange(tx);
  return ended.length;
}
