import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import type { Client } from './client.js';

export const authEventTypes = [
  'login',
  'login-failed',
  'logout',
  'session-revoked',
  'token-reused',
  'password-changed',
  'password-reset',
  'user-created',
  'user-changed',
  'user-disabled',
  'user-enabled',
  'user-unlocked',
  'key-created',
  'key-revoked',
] as const;
export type AuthEventType = (typeof authEventTypes)[number];

/** Who did something: a caller as {@link actorOf} names it, and from where; without a client it was done at a terminal. */
export interface Actor {
  name: string;
  client?: Client | undefined;
}

/** Something that changed who may do what, or tried to. */
export interface AuthEvent {
  /** Grows with time. */
  id: string;
  at: Date;
  type: AuthEventType;
  /** Who did it. */
  actor: string;
  /** To whom or what. */
  subject: string | null;
  address: string | null;
  userAgent: string | null;
  data: Record<string, unknown> | null;
}

/** Actor of what is done at a terminal. */
export const terminal: Actor = { name: 'terminal' };

/** Writes an event down, in the transaction of what it tells of. */
export async function recordAuthEvent(
  tx: Queryable,
  type: AuthEventType,
  { name, client }: Actor,
  { subject, ...data }: { subject?: string } & Record<string, unknown> = {},
): Promise<void> {
  const details = Object.keys(data).length > 0 ? JSON.stringify(data) : null;
  await tx.query(
    'INSERT INTO auth_events (type, actor, subject, address, user_agent, data) VALUES ($1, $2, $3, $4, $5, $6)',
    [type, name, subject ?? null, client?.address ?? null, client?.userAgent ?? null, details],
  );
}

/** The record of who got in, who tried to, and who changed what others may do. */
@Injectable()
export class AuthEvents {
  constructor(private readonly database: Database) {}

  /** A page, the latest first; `next` is the `before` of the following one. */
  async page({
    limit,
    before,
    type,
  }: {
    limit: number;
    before?: string | undefined;
    type?: AuthEventType | undefined;
  }) {
    const events = await this.database.query<AuthEvent>(
      `SELECT id, at, type, actor, subject, address, user_agent AS "userAgent", data FROM auth_events
       WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR type = $2) ORDER BY id DESC LIMIT $3`,
      [before ?? null, type ?? null, limit + 1],
    );
    const next = events.length > limit ? events[limit - 1]!.id : undefined;
    return { events: events.slice(0, limit), ...(next !== undefined && { next }) };
  }
}
