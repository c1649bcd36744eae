import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { migrate } from './migrate.js';

class First1000000000001 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE one (id int)');
    await runner.query('SELECT pg_sleep(0.1)'); // long enough for the others to arrive
  }
  async down() {}
}

class Second1000000000002 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE two (id int)');
  }
  async down() {}
}

class Broken1000000000003 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('CREATE TABLE half (id int)');
    await runner.query('SELECT 1/0');
  }
  async down() {}
}

describe('migrate', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase({ empty: true });
  });
  afterEach(() => database.drop());

  it('O1: applies each migration once when four processes start at once', async () => {
    const running = new Set<number>();
    const steps: number[] = [];
    const step = (process: number) => async () => {
      running.add(process);
      steps.push(running.size);
      await query('SELECT pg_sleep(0.01)');
      running.delete(process);
    };
    const migrations = [Second1000000000002, First1000000000001];
    const applied = await Promise.all(
      [1, 2, 3, 4].map((process) => migrate({ url: database.url, migrations, then: [step(process)] })),
    );
    expect(applied.filter((names) => names.length > 0)).toEqual([[First1000000000001.name, Second1000000000002.name]]);
    expect(await query('SELECT name FROM migrations ORDER BY id')).toEqual([
      { name: First1000000000001.name },
      { name: Second1000000000002.name },
    ]);
    expect(steps).toEqual([1, 1, 1, 1]); // never two under the lock
  });

  it('leaves nothing half done when a migration fails, and goes on there the next time', async () => {
    const failing = migrate({ url: database.url, migrations: [First1000000000001, Broken1000000000003] });
    await expect(failing).rejects.toThrow(/division by zero/);
    expect(await query(`SELECT to_regclass('one')::text AS one, to_regclass('half')::text AS half`)).toEqual([
      { one: 'one', half: null },
    ]);
    const later = await migrate({ url: database.url, migrations: [First1000000000001, Second1000000000002] });
    expect(later).toEqual([Second1000000000002.name]);
  });

  it('reports a further step that fails, and gives the lock back', async () => {
    const then = [() => Promise.reject(new Error('the queue could not be migrated'))];
    await expect(migrate({ url: database.url, migrations: [], then })).rejects.toThrow(
      'the queue could not be migrated',
    );
    await expect(migrate({ url: database.url, migrations: [] })).resolves.toEqual([]);
  });

  async function query(text: string): Promise<unknown[]> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(text);
    await client.end();
    return rows;
  }
});
