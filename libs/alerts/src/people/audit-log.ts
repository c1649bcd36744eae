import { Injectable } from '@nestjs/common';
import { Database, type Queryable, type Statement } from 'eyrie/database';
import { timeText } from '../dispatch/render.js';
import { type Requester } from './requester.js';

/** A change that somebody made. Times are RFC 3339. */
export interface AuditEntry {
  /** Grows with time. */
  id: string;
  at: string;
  actor: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  /** `alert.acknowledged`, `heartbeat.declared`. */
  action: string;
  /** `alert:<id>`, `heartbeat:<name>`. */
  subject: string;
  data: Record<string, unknown> | null;
}

export interface AuditFilter {
  actor?: string | undefined;
  subject?: string | undefined;
  before?: string | undefined;
  limit: number;
}

const RECORD: Statement = {
  name: 'audit:record',
  text: `INSERT INTO audit_log (at, actor, address, user_agent, request_id, action, subject, data)
         VALUES (to_timestamp($1), $2, $3, $4, $5, $6, $7, $8)`,
};

/**
 * Writes a change down, in the transaction that makes it.
 * @example await recordAudit(tx, by, { action: 'heartbeat.removed', subject: `heartbeat:${name}` }, this.clock.now());
 */
export async function recordAudit(
  tx: Queryable,
  by: Requester,
  change: { action: string; subject: string; data?: Record<string, unknown> },
  now: number,
): Promise<void> {
  const { actor, address = null, userAgent = null, requestId = null } = by;
  const data = change.data ? JSON.stringify(change.data) : null;
  await tx.query(RECORD, [now / 1000, actor, address, userAgent, requestId, change.action, change.subject, data]);
}

/** Answers who changed what, when and from where. Entries are kept for `AUDIT_KEPT`. */
@Injectable()
export class AuditLog {
  constructor(private readonly database: Database) {}

  /** A page, the latest first; `next` is the `before` of the following one. */
  async page({ actor, subject, before, limit }: AuditFilter): Promise<{ entries: AuditEntry[]; next?: string }> {
    const rows = await this.database.query<Omit<AuditEntry, 'at'> & { at: number }>(
      `SELECT id::text, extract(epoch FROM at)::float8 AS at, actor, address, user_agent AS "userAgent",
         request_id AS "requestId", action, subject, data
       FROM audit_log
       WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR actor = $2) AND ($3::text IS NULL OR subject = $3)
       ORDER BY audit_log.id DESC LIMIT $4`,
      [before ?? null, actor ?? null, subject ?? null, limit + 1],
    );
    const entries = rows.slice(0, limit).map((row) => ({ ...row, at: timeText(row.at) }));
    return rows.length > limit ? { entries, next: entries.at(-1)!.id } : { entries };
  }
}
