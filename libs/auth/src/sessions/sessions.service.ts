import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { recordAuthEvent } from '../auth-events.js';
import { AUTH_OPTIONS, type AuthOptions, type SessionLimits, sessionLimitsOf } from '../auth.options.js';
import { actorOf, type Role, scopesOf, type UserCaller } from '../caller.js';
import { type Client, networkOf } from '../client.js';
import { hashCredential, longestCredential } from '../credential.js';
import { CredentialVerifier } from '../credential-verifier.js';
import { endSessions } from './end-sessions.js';
import { generateToken } from './session-token.js';

/** A pair of tokens; they are told once. */
export interface SessionTokens {
  accessToken: string;
  accessExpiresInMs: number;
  refreshToken: string;
  refreshExpiresInMs: number;
}

/** Where somebody is logged in. */
export interface Session {
  id: string;
  createdAt: Date;
  /** At the login, or when the tokens were last renewed. */
  lastUsedAt: Date;
  expiresAt: Date;
  address: string;
  userAgent: string;
}

/** What became of a refresh token: renewed, or why not. */
export type Refreshed =
  { outcome: 'renewed'; tokens: SessionTokens; user: UserCaller } | { outcome: 'unknown' | 'ended' | 'reused' };

/** Whose a session is. */
export interface SessionOwner {
  userId: string;
  email: string;
  sessionId: string;
}

const findByAccessToken = {
  name: 'session-by-access-token',
  text: `SELECT t.hash, u.id, u.email, u.role, s.id AS "sessionId",
           (1000 * extract(epoch FROM t.expires_at - now()))::float8 AS "validForMs"
         FROM session_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
         WHERE t.hash = $1 AND t.kind = 'access' AND t.expires_at > now()
           AND s.ended_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL`,
};

/**
 * Sessions of people: an access token good for minutes, and a refresh token good once, which is exchanged for the next
 * pair. A refresh token that comes back after its successor was handed out has been copied, by a thief or from one: the
 * session ends for both. One exception: for 30 seconds, and until the successor is used, the latest spent token is
 * exchanged again, for the answer may have been lost; the successor that nobody used is spent from then on.
 */
@Injectable()
export class SessionsService {
  private readonly logger = new Logger('Auth');
  private readonly verifier = new CredentialVerifier<UserCaller>((hash) => this.find(hash));
  private readonly limits: SessionLimits;

  constructor(
    private readonly database: Database,
    @Inject(AUTH_OPTIONS) options: AuthOptions,
  ) {
    this.limits = sessionLimitsOf(options);
  }

  /** Begins a session of somebody whose password was right. */
  async open(tx: Queryable, userId: string, client: Client): Promise<SessionTokens & { sessionId: string }> {
    const [session] = await tx.query<{ id: string }>(
      `INSERT INTO sessions (user_id, address, network, user_agent, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 ms') RETURNING id`,
      [userId, client.address, networkOf(client.address), client.userAgent, this.limits.sessionMaxAgeMs],
    );
    return { sessionId: session!.id, ...(await this.issue(tx, session!.id)) };
  }

  /** Exchanges a refresh token for the next pair of tokens. */
  async refresh(token: string, client: Client): Promise<Refreshed> {
    if (token.length > longestCredential) return { outcome: 'unknown' };
    const result = await this.database.transaction((tx) => this.exchange(tx, hashCredential(token), client));
    if (result.outcome === 'reused') this.verifier.forget();
    return result;
  }

  /**
   * Whose an access token is; `undefined` if nobody's, or no longer. Remembered for at most 10 seconds.
   * @throws DatabaseUnavailableError when the database is gone and no answer is remembered
   */
  verify(accessToken: string): Promise<UserCaller | undefined> {
    return this.verifier.verify(accessToken);
  }

  /** Whose a refresh token is, as long as its session lasts; it is not spent by the question. */
  async ownerOf(refreshToken: string): Promise<SessionOwner | undefined> {
    if (refreshToken.length > longestCredential) return undefined;
    const [owner] = await this.database.query<SessionOwner>(
      `SELECT u.id AS "userId", u.email, s.id AS "sessionId"
       FROM session_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
       WHERE t.hash = $1 AND t.kind = 'refresh' AND t.spent_at IS NULL AND t.expires_at > now() AND s.ended_at IS NULL`,
      [hashCredential(refreshToken)],
    );
    return owner;
  }

  /** Where somebody is logged in, the latest first. */
  list(userId: string): Promise<Session[]> {
    return this.database.query<Session>(
      `SELECT s.id, s.created_at AS "createdAt", s.last_used_at AS "lastUsedAt", s.expires_at AS "expiresAt",
         s.address, s.user_agent AS "userAgent"
       FROM sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL AND EXISTS (
         SELECT FROM session_tokens t
         WHERE t.session_id = s.id AND t.kind = 'refresh' AND t.spent_at IS NULL AND t.expires_at > now())
       ORDER BY s.id DESC`,
      [userId],
    );
  }

  /** Ends one's own session, or all of one's own. Returns how many that were. */
  async logOut(owner: SessionOwner, client: Client, all = false): Promise<number> {
    return this.end({ userId: owner.userId, ...(!all && { only: owner.sessionId }) }, 'logout', owner, client);
  }

  /** Ends one of one's own sessions from another. Returns whether there was such a one. */
  async revoke(sessionId: string, owner: SessionOwner, client: Client): Promise<boolean> {
    return (await this.end({ userId: owner.userId, only: sessionId }, 'session-revoked', owner, client)) > 0;
  }

  /** Forgets whose access tokens are, because something has changed. */
  forget(): void {
    this.verifier.forget();
  }

  private async end(
    which: { userId: string; only?: string },
    type: 'logout' | 'session-revoked',
    { email }: SessionOwner,
    client: Client,
  ): Promise<number> {
    const ended = await this.database.transaction(async (tx) => {
      const count = await endSessions(tx, which, type === 'logout' ? 'logout' : 'revoked');
      const actor = { name: actorOf({ kind: 'user', name: email }), client };
      if (count > 0) await recordAuthEvent(tx, type, actor, { subject: email, sessionsEnded: count });
      return count;
    });
    this.verifier.forget();
    return ended;
  }

  private async exchange(tx: Queryable, hash: Buffer, client: Client): Promise<Refreshed> {
    type SessionRow = {
      id: string;
      userId: string;
      isOver: boolean;
      previous: Buffer | null;
      isRecent: boolean | null;
    };
    // Locked first and read by the next statement, so that of two requests with one token the second sees the first.
    const [session] = await tx.query<SessionRow>(
      `SELECT id, user_id AS "userId", ended_at IS NOT NULL OR expires_at <= now() AS "isOver",
         previous_hash AS previous, rotated_at > now() - interval '30 seconds' AS "isRecent"
       FROM sessions WHERE id = (SELECT session_id FROM session_tokens WHERE hash = $1 AND kind = 'refresh') FOR UPDATE`,
      [hash],
    );
    if (!session) return { outcome: 'unknown' };
    type TokenRow = { isSpent: boolean; isOver: boolean; email: string; role: Role };
    const [token] = await tx.query<TokenRow>(
      `SELECT t.spent_at IS NOT NULL AS "isSpent", u.email, u.role,
         t.expires_at <= now() OR u.disabled_at IS NOT NULL AS "isOver"
       FROM session_tokens t, users u WHERE t.hash = $1 AND u.id = $2`,
      [hash, session.userId],
    );
    if (!token || session.isOver) return { outcome: 'ended' };
    const isLost = session.isRecent === true && session.previous?.equals(hash) === true;
    if (token.isSpent && !isLost) {
      await this.endReused(tx, session, token.email, client);
      return { outcome: 'reused' };
    }
    if (token.isOver) return { outcome: 'ended' };
    const tokens = await this.rotate(tx, session.id, hash, client);
    const { email: name, role } = token;
    const user = {
      kind: 'user' as const,
      id: session.userId,
      name,
      role,
      scopes: scopesOf(role),
      sessionId: session.id,
    };
    return { outcome: 'renewed', tokens, user };
  }

  private async endReused(
    tx: Queryable,
    session: { id: string; userId: string },
    email: string,
    client: Client,
  ): Promise<void> {
    await endSessions(tx, { userId: session.userId, only: session.id }, 'reuse');
    await recordAuthEvent(tx, 'token-reused', { name: 'unknown', client }, { subject: email, session: session.id });
    this.logger.warn(
      `A refresh token of user:${session.userId} came back after it was exchanged, from ${client.address}; its session has ended`,
    );
  }

  /** A token that comes again is no new rotation: the time for which it may do so does not start anew. */
  private async rotate(tx: Queryable, sessionId: string, hash: Buffer, client: Client): Promise<SessionTokens> {
    await tx.query(
      `UPDATE session_tokens SET spent_at = now() WHERE session_id = $1 AND kind = 'refresh' AND spent_at IS NULL`,
      [sessionId],
    );
    await tx.query(
      `UPDATE sessions SET last_used_at = now(), address = $3, user_agent = $4, previous_hash = $2,
         rotated_at = CASE WHEN previous_hash = $2 THEN rotated_at ELSE now() END
       WHERE id = $1`,
      [sessionId, hash, client.address, client.userAgent],
    );
    return this.issue(tx, sessionId);
  }

  private async issue(tx: Queryable, sessionId: string): Promise<SessionTokens> {
    const [accessToken, refreshToken] = [generateToken('access'), generateToken('refresh')];
    const lifetimes = [this.limits.accessTokenTtlMs, this.limits.sessionIdleMs];
    const rows = await tx.query<{ kind: string; ms: number }>(
      `INSERT INTO session_tokens (hash, session_id, kind, expires_at)
       SELECT new.hash, s.id, new.kind, least(s.expires_at, now() + new.ms * interval '1 ms')
       FROM sessions s, unnest($2::bytea[], ARRAY['access', 'refresh'], $3::float8[]) AS new (hash, kind, ms)
       WHERE s.id = $1 RETURNING kind, (1000 * extract(epoch FROM expires_at - now()))::float8 AS ms`,
      [sessionId, [hashCredential(accessToken), hashCredential(refreshToken)], lifetimes],
    );
    const lifetimeOf = (kind: string) => rows.find((row) => row.kind === kind)!.ms;
    const [accessExpiresInMs, refreshExpiresInMs] = [lifetimeOf('access'), lifetimeOf('refresh')];
    return { accessToken, accessExpiresInMs, refreshToken, refreshExpiresInMs };
  }

  private async find(hash: Buffer) {
    type Row = { hash: Buffer; id: string; email: string; role: Role; sessionId: string; validForMs: number };
    const [row] = await this.database.query<Row>(findByAccessToken, [hash]);
    if (!row) return undefined;
    const { id, email: name, role, sessionId, validForMs } = row;
    const caller = { kind: 'user' as const, id, name, role, scopes: scopesOf(role), sessionId };
    return { hash: row.hash, caller, validForMs };
  }
}
