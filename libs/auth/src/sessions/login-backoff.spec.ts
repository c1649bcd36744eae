import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from 'eyrie/database';
import { testDatabase } from '../../../../test/harness/postgres.js';
import { connection, type Connection } from '../../fixtures/connection.js';
import { type Attempt, LoginBackoff, unlockAccount } from './login-backoff.js';
import { SessionsService } from './sessions.service.js';

let test: Connection;
let database: Database;
let backoff: LoginBackoff;

beforeAll(async () => {
  test = await connection(await testDatabase());
  ({ database } = test);
  backoff = new LoginBackoff(database);
});
beforeEach(() => database.query('TRUNCATE users, sessions, session_tokens, login_attempts'));
afterAll(() => test?.close());

const ann = (address = '192.0.2.1'): Attempt => ({ account: 'ann@example.org', address });
/** An attempt that fails; for how long it had to wait instead, 0 if it was counted. */
async function fail(attempt: Attempt): Promise<number> {
  const begun = await backoff.begin(attempt);
  return 'waitMs' in begun ? begun.waitMs : 0;
}
/** Fails so often, waiting as long as is wanted, and gives the waits after each. */
async function failures(count: number, attempt: (index: number) => Attempt): Promise<number[]> {
  const waits: number[] = [];
  for (let index = 0; index < count; index++) {
    expect(await fail(attempt(index))).toBe(0);
    const [row] = await database.query<{ s: number }>(
      `SELECT ceil(extract(epoch FROM max(blocked_until) - now()))::int AS s FROM login_attempts`,
    );
    waits.push(Math.max(0, row!.s));
    await database.query('UPDATE login_attempts SET blocked_until = now()');
  }
  return waits;
}
const succeed = async (attempt: Attempt) => {
  const begun = await backoff.begin(attempt);
  if ('waitMs' in begun) throw new Error(`wait ${begun.waitMs} ms`);
  await database.transaction((tx) => backoff.succeeded(tx, attempt, begun.counted));
};
/** Somebody who has logged in from an address before. */
async function haveBeen(address: string): Promise<void> {
  const [user] = await database.query<{ id: string }>(
    `INSERT INTO users (email, name, role, password_hash) VALUES ('ann@example.org', 'Ann', 'admin', 'x') RETURNING id`,
  );
  await database.transaction((tx) => new SessionsService(database, {}).open(tx, user!.id, { address, userAgent: '' }));
}

describe('failed logins', () => {
  it('I1: cost nothing at first, then twice as long each, up to a quarter of an hour', async () => {
    const waits = await failures(18, () => ann());
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
  });

  it('I1: are not even counted while there is a wait, so that nobody can prolong it', async () => {
    await failures(9, () => ann());
    await fail(ann());
    const wait = await fail(ann());
    expect(wait).toBeGreaterThan(20_000);
    for (let index = 0; index < 5; index++) expect(await fail(ann())).toBeLessThanOrEqual(wait);
    expect(await fail({ ...ann(), account: ' ANN@Example.org' })).toBeGreaterThan(0);
  });

  it('I1: are counted one by one though they come at once', async () => {
    const waits = await Promise.all(Array.from({ length: 30 }, () => fail(ann())));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
  });

  it('I1: are forgotten after an hour, or with a success', async () => {
    await failures(10, () => ann());
    await database.query(`UPDATE login_attempts SET last_at = last_at - interval '61 minutes'`);
    expect(await failures(5, () => ann())).toEqual([0, 0, 0, 0, 1]);
    await succeed(ann());
    expect(await failures(5, () => ann())).toEqual([0, 0, 0, 0, 1]);
  });

  it('I1: of one address at many accounts are a reason to wait too; a success of its own does not undo them', async () => {
    const at = (index: number): Attempt => ({ account: `user${index}@example.org`, address: '2001:db8::1' });
    expect((await failures(21, at)).slice(-3)).toEqual([0, 1, 2]);
    await succeed({ account: 'mallory@example.org', address: '2001:db8::2' });
    expect(await failures(1, at)).toEqual([4]);
    await fail(at(22));
    expect(await fail({ account: 'other@example.org', address: '2001:db8::3' })).toBeGreaterThan(0);
    expect(await fail({ account: 'other@example.org', address: '2001:db8:0:1::3' })).toBe(0);
  });

  it('I1: from many addresses at one account are a short wait for strangers', async () => {
    const waits = await failures(60, (index) => ann(`198.51.100.${index}`));
    expect(waits.slice(48)).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
  });

  it('I1: of others never lock somebody out where they have logged in before', async () => {
    await haveBeen('192.0.2.7');
    await failures(60, (index) => ann(`198.51.100.${index}`));
    await fail(ann('198.51.100.99'));
    expect(await fail(ann('198.51.100.100'))).toBeGreaterThan(0);
    await succeed(ann('192.0.2.7'));
  });

  it('I1: of a neighbour at other accounts do not either, and are not forgiven by it', async () => {
    await haveBeen('192.0.2.7');
    const neighbour = (index: number): Attempt => ({ account: `user${index}@example.org`, address: '192.0.2.7' });
    await failures(25, neighbour);
    await fail(neighbour(25));
    await succeed(ann('192.0.2.7'));
    expect(await fail(neighbour(26))).toBeGreaterThan(0);
  });

  it('I1: that could not be decided are none', async () => {
    for (let index = 0; index < 20; index++) {
      const begun = await backoff.begin(ann());
      if ('waitMs' in begun) throw new Error('it waited');
      await backoff.undo(begun.counted);
    }
  });

  it('I1: can be forgotten by whoever has a shell', async () => {
    await failures(10, () => ann());
    await fail(ann());
    expect(await fail(ann())).toBeGreaterThan(0);
    await unlockAccount(database, 'ann@example.org');
    expect(await fail(ann())).toBe(0);
  });

  it('I1: do not keep what was typed as the account', async () => {
    await fail({ account: 'My-Secret-Password', address: '192.0.2.1' });
    const rows = await database.query<{ text: string }>('SELECT a::text AS text FROM login_attempts a');
    expect(rows.map(({ text }) => text).join()).not.toMatch(/secret/i);
  });
});
