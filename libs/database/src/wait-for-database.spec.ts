import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { describeUrl, waitForDatabase } from './wait-for-database.js';

describe('waitForDatabase', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it('G4: resolves as soon as the database answers', async () => {
    await waitForDatabase(database.url, { limitMs: 1_000 });
  });

  it('G4: tries again until the limit, and then says which database did not answer and why', async () => {
    let retries = 0;
    const waiting = waitForDatabase('postgresql://eyrie:hush@127.0.0.1:1/eyrie', {
      limitMs: 300,
      onRetry: () => retries++,
    });
    await expect(waiting).rejects.toMatchObject({
      code: '08006',
      message: 'The database 127.0.0.1:1/eyrie did not answer within 0.3 s: connect ECONNREFUSED 127.0.0.1:1',
    });
    expect(retries).toBeGreaterThan(1);
  });

  it('G4: does not go on knocking with a password that was refused', async () => {
    const url = new URL(database.url);
    url.password = 'wrong-password';
    const started = Date.now();
    const failure = (await waitForDatabase(url.href, { limitMs: 60_000 }).catch((error: unknown) => error)) as Error;
    expect(failure.message).toMatch(/refused this role: password authentication failed/);
    expect(failure.message).not.toContain('wrong-password');
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('G4: ends with the signal', async () => {
    const stop = new AbortController();
    const waiting = waitForDatabase('postgresql://eyrie@127.0.0.1:1/eyrie', {
      limitMs: 60_000,
      signal: stop.signal,
      onRetry: () => stop.abort(new Error('told to stop')),
    });
    await expect(waiting).rejects.toThrow('told to stop');
  });
});

describe('describeUrl', () => {
  it('F5: shows host, port and database, and nothing secret', () => {
    expect(describeUrl('postgresql://me:hush@db.example:6543/hub?sslmode=require&password=hush')).toBe(
      'db.example:6543/hub',
    );
    expect(describeUrl('postgresql:///hub?host=/run/postgresql')).toBe('/run/postgresql:5432/hub');
  });
});
