import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Database } from 'eyrie/database';
import { eventually } from '../../../../test/harness/eventually.js';
import { testDatabase } from '../../../../test/harness/postgres.js';
import { connection, type Connection } from '../../fixtures/connection.js';
import { ACCESS_CHANGES } from '../access-changes.js';
import { AuthEvents } from '../auth-events.js';
import { hashCredential } from '../credential.js';
import { type Refreshed, type SessionOwner, SessionsService } from './sessions.service.js';

let test: Connection;
let database: Database;
let sessions: SessionsService;
let userId: string;
const client = { address: '192.0.2.1', userAgent: 'spec' };

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await connection(await testDatabase());
  ({ database } = test);
});
beforeEach(async () => {
  await database.query('TRUNCATE users, sessions, session_tokens, auth_events');
  const [user] = await database.query<{ id: string }>(
    `INSERT INTO users (email, name, role, password_hash) VALUES ('ann@example.org', 'Ann', 'responder', 'x') RETURNING id`,
  );
  userId = user!.id;
  sessions = new SessionsService(database, {});
});
afterAll(() => test?.close());

const open = () => database.transaction((tx) => sessions.open(tx, userId, client));
const owner = (sessionId: string): SessionOwner => ({ userId, sessionId, email: 'ann@example.org' });
/** The next pair of tokens; fails if there is none. */
async function renewed(token: string) {
  const result = await sessions.refresh(token, client);
  if (result.outcome !== 'renewed') throw new Error(result.outcome);
  return result.tokens;
}
const outcome = async (token: string): Promise<Refreshed['outcome']> => (await sessions.refresh(token, client)).outcome;
/** Lets time pass, as the rows tell it. */
const later = (interval: string) =>
  database.query(`UPDATE sessions SET rotated_at = rotated_at - interval '${interval}'`);

describe('an access token', () => {
  it('I1: tells who it is, with the scopes of the role, and is stored as a hash', async () => {
    const { accessToken, accessExpiresInMs, sessionId } = await open();
    expect(accessToken).toMatch(/^eya_[\w-]{43}$/);
    expect(accessExpiresInMs).toBe(900_000);
    expect(await sessions.verify(accessToken)).toEqual({
      ...{ kind: 'user', id: userId, name: 'ann@example.org', role: 'responder', sessionId },
      scopes: ['read', 'respond'],
    });
    const rows = await database.query<{ text: string; hash: Buffer }>(
      'SELECT t::text AS text, hash FROM session_tokens t',
    );
    expect(rows.map(({ hash }) => hash.toString('hex'))).toContain(hashCredential(accessToken).toString('hex'));
    expect(rows.map(({ text }) => text).join()).not.toContain(accessToken.slice(4));
  });

  it('I1: is good for its time, to the moment, and no longer than its session', async () => {
    const brief = new SessionsService(database, { accessTokenTtlMs: 300, sessionMaxAgeMs: 200 });
    const { accessToken, accessExpiresInMs, refreshToken } = await database.transaction((tx) =>
      brief.open(tx, userId, client),
    );
    expect(accessExpiresInMs).toBe(200);
    const opened = performance.now();
    expect(await brief.verify(accessToken)).toBeDefined();
    await eventually(async () => (await brief.verify(accessToken)) === undefined);
    expect(performance.now() - opened).toBeLessThan(1_000);
    expect((await brief.refresh(refreshToken, client)).outcome).toBe('ended');
  });

  it('I1: is not good as a refresh token, nor the other way round', async () => {
    const { accessToken, refreshToken } = await open();
    expect(await sessions.verify(refreshToken)).toBeUndefined();
    expect(await outcome(accessToken)).toBe('unknown');
  });

  it('I1: ends with the session, here at once and elsewhere with the notice', async () => {
    const elsewhere = new SessionsService(database, {});
    const stop = await database.listen(ACCESS_CHANGES, () => elsewhere.forget());
    const { accessToken, sessionId } = await open();
    for (const service of [sessions, elsewhere]) expect(await service.verify(accessToken)).toBeDefined();
    expect(await sessions.logOut(owner(sessionId), client)).toBe(1);
    expect(await sessions.verify(accessToken)).toBeUndefined();
    await eventually(async () => (await elsewhere.verify(accessToken)) === undefined);
    await stop();
  });

  it.each([`disabled_at = now()`, `role = 'viewer'`])('I1: follows its user: %s', async (change) => {
    const { accessToken } = await open();
    await sessions.verify(accessToken);
    await database.query(`UPDATE users SET ${change}`);
    sessions.forget();
    expect((await sessions.verify(accessToken))?.scopes).toEqual(change.includes('role') ? ['read'] : undefined);
  });
});

describe('a refresh token', () => {
  it('I1: is exchanged for the next pair; access tokens that are out stay good', async () => {
    const first = await open();
    const second = await renewed(first.refreshToken);
    const third = await renewed(second.refreshToken);
    expect(new Set([first, second, third].flatMap((each) => [each.accessToken, each.refreshToken])).size).toBe(6);
    for (const { accessToken } of [first, second, third]) expect(await sessions.verify(accessToken)).toBeDefined();
    expect(await sessions.list(userId)).toHaveLength(1);
  });

  it('I1: that comes back ends the session for whoever has its successors, and that is recorded', async () => {
    const stolen = await open();
    const second = await renewed(stolen.refreshToken);
    const third = await renewed(second.refreshToken);
    expect(await sessions.verify(third.accessToken)).toBeDefined();
    const other = await open();
    expect(await outcome(stolen.refreshToken)).toBe('reused');
    expect(await sessions.verify(third.accessToken)).toBeUndefined();
    expect(await outcome(third.refreshToken)).toBe('ended');
    expect(await outcome(other.refreshToken)).toBe('renewed');
    const { events } = await new AuthEvents(database).page({ limit: 10 });
    expect(events).toMatchObject([{ type: 'token-reused', subject: 'ann@example.org', address: client.address }]);
  });

  it('I1: is exchanged again where the answer may have been lost, which spends the successor', async () => {
    const first = await open();
    const lost = await renewed(first.refreshToken);
    const again = await renewed(first.refreshToken);
    expect(await outcome(again.refreshToken)).toBe('renewed');
    expect(await outcome(lost.refreshToken)).toBe('reused');
  });

  it('I1: is not exchanged again after 30 seconds, however often it came before', async () => {
    const first = await open();
    await renewed(first.refreshToken);
    await later('20 s');
    await renewed(first.refreshToken);
    await later('11 s');
    expect(await outcome(first.refreshToken)).toBe('reused');
  });

  it('I1: is exchanged once by many who come at once: one line of successors is left', async () => {
    const { refreshToken } = await open();
    const results = await Promise.all(Array.from({ length: 8 }, () => sessions.refresh(refreshToken, client)));
    expect(results.map((each) => each.outcome)).toEqual(Array.from({ length: 8 }, () => 'renewed'));
    const live = await database.query(`SELECT FROM session_tokens WHERE kind = 'refresh' AND spent_at IS NULL`);
    expect(live).toHaveLength(1);
  });

  it.each([
    ['has not been used for a week', `UPDATE session_tokens SET expires_at = now()`, 'ended'],
    ['is of a session that is over', `UPDATE sessions SET expires_at = now()`, 'ended'],
    ['is of somebody who was disabled', `UPDATE users SET disabled_at = now()`, 'ended'],
  ])('I1: that %s is refused', async (_title, statement, expected) => {
    const { refreshToken } = await open();
    await database.query(statement);
    expect(await outcome(refreshToken)).toBe(expected);
  });

  it('I1: of nobody is unknown, whatever it looks like', async () => {
    for (const text of ['', 'eyf_', `eyf_${'A'.repeat(43)}`, '\u0000', 'x'.repeat(1_000_000)]) {
      expect(await outcome(text)).toBe('unknown');
      expect(await sessions.ownerOf(text)).toBeUndefined();
    }
  });
});

describe('sessions', () => {
  it('I1: are listed, and each is revoked by its owner alone', async () => {
    const [one, other] = [await open(), await open()];
    expect((await sessions.list(userId)).map(({ id }) => id)).toEqual([other.sessionId, one.sessionId]);
    expect((await sessions.list(userId))[0]).toMatchObject({ address: client.address, userAgent: 'spec' });
    const [bob] = await database.query<{ id: string }>(
      `INSERT INTO users (email, name, role, password_hash) VALUES ('bob@example.org', 'Bob', 'admin', 'x') RETURNING id`,
    );
    const stranger = { userId: bob!.id, sessionId: one.sessionId, email: 'bob@example.org' };
    expect(await sessions.revoke(one.sessionId, stranger, client)).toBe(false);
    expect(await sessions.revoke(one.sessionId, owner(other.sessionId), client)).toBe(true);
    expect(await sessions.revoke(one.sessionId, owner(other.sessionId), client)).toBe(false);
    expect((await sessions.list(userId)).map(({ id }) => id)).toEqual([other.sessionId]);
  });

  it('I1: end all together', async () => {
    const all = [await open(), await open(), await open()];
    expect(await sessions.ownerOf(all[0]!.refreshToken)).toEqual(owner(all[0]!.sessionId));
    expect(await sessions.logOut(owner(all[0]!.sessionId), client, true)).toBe(3);
    for (const { refreshToken, accessToken } of all) {
      expect(await outcome(refreshToken)).toBe('ended');
      expect(await sessions.verify(accessToken)).toBeUndefined();
      expect(await sessions.ownerOf(refreshToken)).toBeUndefined();
    }
  });
});
