import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { TcpProxy } from '../../../test/harness/tcp-proxy.js';
import { Database } from './database.js';
import { DatabaseUnavailableError } from './database-error.js';
import { openPool } from './pool.js';

const limits = { poolMax: 1, connectTimeoutMs: 200, startupTimeoutMs: 5_000, statementTimeoutMs: 300 };

describe('a pool whose PostgreSQL vanishes', () => {
  let cluster: TestDatabase;
  let proxy: TcpProxy;
  let pool: Pool;

  beforeAll(async () => {
    Logger.overrideLogger(false); // the faults below are on purpose
    cluster = await testDatabase({ empty: true });
    proxy = await TcpProxy.to(cluster.url);
    pool = await openPool({ ...limits, url: proxy.url });
  });
  afterAll(async () => {
    await pool.end();
    await proxy.close();
    await cluster.drop();
  });

  it('G4: fails the query that waits for it, and asks on another connection next time', async () => {
    const database = new Database(pool, undefined as never);
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    proxy.swallow();
    const error = await database.query('SELECT 1 AS one').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect((error as Error).message).toContain('has not said a word for 500 ms');
    expect(await database.query('SELECT 2 AS two')).toEqual([{ two: 2 }]);
  });

  it('H1: outlives a connection that breaks on its way from one borrower to the next', async () => {
    const database = new Database(pool, undefined as never);
    await database.query('SELECT 1');
    proxy.endWith(fatalError('57P01', 'terminating connection due to unexpected postmaster exit'));
    const first = database.query('SELECT 1 AS one');
    const next = database.transaction((tx) => tx.query('SELECT 2 AS two')).catch((caught: unknown) => caught);
    expect(await first).toEqual([{ one: 1 }]);
    expect(await next).toBeInstanceOf(DatabaseUnavailableError);
    expect(await database.query('SELECT 3 AS three')).toEqual([{ three: 3 }]);
  });

  it('waits for as long as it takes where statements have no limit', async () => {
    const patient = await openPool({ ...limits, url: cluster.url, connectTimeoutMs: 100, statementTimeoutMs: 0 });
    expect((await patient.query("SELECT 'slept' AS answer FROM pg_sleep(0.3)")).rows).toEqual([{ answer: 'slept' }]);
    await patient.end();
  });

  it('leaves a connection alone that is idle for as long', async () => {
    const ends: unknown[] = [];
    pool.on('error', (error) => ends.push(error));
    const emptied = new Promise((resolve) => pool.once('remove', resolve));
    await pool.query('SELECT 1');
    await emptied;
    expect(ends).toEqual([]);
  });
});

/** An ErrorResponse of PostgreSQL's protocol, 3.0. */
function fatalError(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(4 + fields.length, 1);
  return Buffer.concat([head, fields]);
}
