import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { networkOf } from '../client.js';
import { accountOf } from '../users/user.js';

/** What failures are counted for. After `free` of them each costs a wait, twice the one before, up to `longestS`. */
const policies = {
  /** One client at one account: somebody who guesses. */
  pair: { free: 5, longestS: 900 },
  /** One client at any accounts: somebody who tries one password on many. */
  network: { free: 20, longestS: 900 },
  /** Any clients at one account: somebody with many addresses. Short, for it meets the owner too. */
  account: { free: 50, longestS: 60 },
} as const;
type Kind = keyof typeof policies;

/** After an hour without a failure the count starts anew. */
const FORGOTTEN = `interval '1 hour'`;

/** Not `now()`, which of two transactions at once may be later in the one that commits first. */
const NEVER = `'epoch'::timestamptz`;

/** Somebody tries to log in. */
export interface Attempt {
  account: string;
  address: string;
}

/** What an attempt was counted for, so that it can be taken back. */
export type Counted = readonly Key[];

/**
 * Makes guessing passwords slow, without giving anybody the means to lock somebody else out: whoever has logged in from a
 * network in the last 90 days is measured by the failures of that network at that account alone. All processes count
 * together.
 */
@Injectable()
export class LoginBackoff {
  constructor(private readonly database: Database) {}

  /**
   * Counts an attempt as failed before its password is looked at, so that many at once are not one. Where there is nothing
   * to be tried yet, it is not counted, and `waitMs` tells for how long.
   */
  async begin(attempt: Attempt): Promise<{ counted: Counted } | { waitMs: number }> {
    const [pair, network, account] = keysOf(attempt);
    const { waitMs, isFamiliar } = await this.look(attempt, [pair, network, account]);
    if (waitMs > 0) return { waitMs };
    const keys = isFamiliar ? [pair] : [pair, network, account];
    const counted = await retryTransient(() => this.database.query(countFailures, columnsOf(keys)));
    // Else others with the same counter came in between, and one of them was the last that was free.
    return counted.length === keys.length ? { counted: keys } : { waitMs: 1_000 };
  }

  /** The password was right: what was counted is taken back, and the account is free again. */
  async succeeded(tx: Queryable, attempt: Attempt, counted: Counted): Promise<void> {
    const [pair, , account] = keysOf(attempt);
    await tx.query(`DELETE FROM login_attempts WHERE ${isKey}`, columnsOf([pair, account]));
    await this.undo(counted, tx);
  }

  /** Whether the password was right could not be found out. */
  async undo(counted: Counted, tx: Queryable = this.database): Promise<void> {
    await tx.query(
      `UPDATE login_attempts SET failures = failures - 1, blocked_until = ${NEVER} WHERE ${isKey} AND failures > 0`,
      columnsOf(counted),
    );
  }

  private async look({ account, address }: Attempt, keys: Counted): Promise<{ waitMs: number; isFamiliar: boolean }> {
    const [row] = await this.database.query<{ waitMs: number; isFamiliar: boolean }>(
      `WITH familiar AS (
         SELECT EXISTS (
           SELECT FROM sessions s JOIN users u ON u.id = s.user_id
           WHERE lower(u.email) = $4 AND s.network = $5 AND s.created_at > now() - interval '90 days') AS it_is)
       SELECT it_is AS "isFamiliar", coalesce((
         SELECT 1000 * extract(epoch FROM max(blocked_until) - now()) FROM login_attempts
         WHERE ${isKey} AND blocked_until > now() AND (kind = 'pair' OR NOT it_is)), 0)::float8 AS "waitMs"
       FROM familiar`,
      [...columnsOf(keys), accountOf(account), networkOf(address)],
    );
    return row!;
  }
}

/** Gives an account its free attempts back, wherever failures came from. */
export async function unlockAccount(tx: Queryable, account: string): Promise<void> {
  await tx.query('DELETE FROM login_attempts WHERE account = $1', [hashOf(account)]);
}

interface Key {
  kind: Kind;
  account: Buffer;
  network: string;
}

const isKey = `(kind, account, network) IN (SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[]))`;

/** Always in one order, so that two at once cannot wait for each other. */
const countFailures = `
  INSERT INTO login_attempts AS a (kind, account, network, failures, last_at, blocked_until)
  SELECT kind, account, network, 1, now(), ${NEVER} FROM unnest($1::text[], $2::bytea[], $3::text[])
    AS new (kind, account, network) ORDER BY 1, 2, 3
  ON CONFLICT (account, kind, network) DO UPDATE SET
    failures = CASE WHEN a.last_at < now() - ${FORGOTTEN} THEN 1 ELSE a.failures + 1 END,
    blocked_until = CASE WHEN a.last_at < now() - ${FORGOTTEN} THEN ${NEVER} ELSE ${blockAfter('a.failures + 1')} END,
    last_at = now()
  WHERE a.blocked_until <= now()
  RETURNING kind`;

function blockAfter(failures: string): string {
  const cases = Object.entries(policies).map(([kind, { free, longestS }]) => {
    const seconds = `least(${longestS}, power(2, least(${failures} - ${free}, 20)))`;
    return `WHEN a.kind = '${kind}' AND ${failures} >= ${free} THEN now() + interval '1 s' * ${seconds}`;
  });
  return `CASE ${cases.join(' ')} ELSE ${NEVER} END`;
}

function keysOf({ account, address }: Attempt): [pair: Key, network: Key, account: Key] {
  const [own, network] = [hashOf(account), networkOf(address)];
  return [
    { kind: 'pair', account: own, network },
    { kind: 'network', account: Buffer.alloc(0), network },
    { kind: 'account', account: own, network: '' },
  ];
}

function columnsOf(keys: readonly Key[]): unknown[] {
  return [keys.map(({ kind }) => kind), keys.map(({ account }) => account), keys.map(({ network }) => network)];
}

function hashOf(account: string): Buffer {
  return createHash('sha256').update(accountOf(account)).digest();
}
