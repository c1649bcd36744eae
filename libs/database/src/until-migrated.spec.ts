import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { migrate } from './migrate.js';
import { untilMigrated } from './until-migrated.js';

class First1000000000001 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE one (id int)');
  }
  async down() {}
}

class Second1000000000002 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE two (id int)');
  }
  async down() {}
}

describe('untilMigrated', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ empty: true });
  });
  afterEach(() => database.drop());

  it('M1: waits until another process has applied all of them, and has finished', async () => {
    const { url } = database;
    const missing: string[][] = [];
    let finished = false;
    const waiting = untilMigrated({
      url,
      migrations: [First1000000000001, Second1000000000002],
      limitMs: 10_000,
      pauseMs: 5,
      onMissing: (names) => missing.push(names),
    }).then(() => expect(finished).toBe(true));
    while (missing.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await migrate({ url, migrations: [First1000000000001] });
    while (missing.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const step = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100)); // long enough to be passed by
      finished = true;
    };
    await migrate({ url, migrations: [First1000000000001, Second1000000000002], then: [step] });
    await waiting;
    expect(missing).toEqual([['First1000000000001', 'Second1000000000002'], ['Second1000000000002']]);
  });

  it('M1: an older version starts on the newer schema', async () => {
    const { url } = database;
    await migrate({ url, migrations: [First1000000000001, Second1000000000002] });
    await untilMigrated({ url, migrations: [First1000000000001], limitMs: 0 });
  });

  it('M1: names what is missing when the limit has passed', async () => {
    const waiting = untilMigrated({ url: database.url, migrations: [First1000000000001], limitMs: 20, pauseMs: 5 });
    await expect(waiting).rejects.toThrow('not migrated within 0.02 s: First1000000000001');
  });
});
