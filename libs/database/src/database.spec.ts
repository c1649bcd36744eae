import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { HealthModule, HealthRegistry } from 'eyrie/health';
import { Lifecycle, LifecycleModule } from 'eyrie/lifecycle';
import { Client } from 'pg';
import { Column, DataSource, Entity, EntityManager, PrimaryColumn, type Repository } from 'typeorm';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { Database } from './database.js';
import { DatabaseModule } from './database.module.js';
import { DatabaseUnavailableError, isDatabaseUnavailable, TransactionAbortedError } from './database-error.js';
import { EntitiesModule } from './typeorm.js';

const limits = { poolMax: 4, connectTimeoutMs: 2_000, startupTimeoutMs: 2_000, statementTimeoutMs: 5_000 };

@Entity()
class Note {
  @PrimaryColumn({ type: 'int' }) id!: number;
  @Column({ type: 'text' }) words!: string;
}

let cluster: TestDatabase;
beforeAll(async () => {
  Logger.overrideLogger(false); // the faults below are on purpose
  cluster = await testDatabase();
});
afterAll(() => cluster.drop());

describe('Database', () => {
  let app: TestingModule;
  let database: Database;

  beforeEach(async () => {
    const module = DatabaseModule.forRoot({ ...limits, url: cluster.url });
    app = await Test.createTestingModule({ imports: [module] }).compile();
    await app.init();
    database = app.get(Database);
    await database.query('CREATE TABLE IF NOT EXISTS items (id int PRIMARY KEY)');
    await database.query('TRUNCATE items');
  });
  afterEach(() => app.close());

  const ids = async () =>
    (await database.query<{ id: number }>('SELECT id FROM items ORDER BY id')).map(({ id }) => id);

  it('returns rows, and none for a statement that has none', async () => {
    expect(await database.query('INSERT INTO items VALUES (1)')).toEqual([]);
    expect(await database.query('INSERT INTO items VALUES ($1) RETURNING id', [2])).toEqual([{ id: 2 }]);
  });

  it('prepares a named statement once on a connection', async () => {
    await database.transaction(async (tx) => {
      for (const id of [1, 2, 3]) await tx.query({ name: 'add-item', text: 'INSERT INTO items VALUES ($1)' }, [id]);
      const prepared = await tx.query('SELECT name, custom_plans + generic_plans AS runs FROM pg_prepared_statements');
      expect(prepared).toEqual([{ name: 'add-item', runs: '3' }]);
    });
  });

  it('commits what a transaction did, and rolls all of it back when its work throws', async () => {
    expect(await database.transaction(async (tx) => tx.query('INSERT INTO items VALUES (1) RETURNING id'))).toEqual([
      { id: 1 },
    ]);
    const failing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO items VALUES (2)');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await ids()).toEqual([1]);
  });

  it('H1: never takes a transaction for committed that swallowed a failed statement', async () => {
    const swallowing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO items VALUES (1)');
      await tx.query('INSERT INTO items VALUES (1)').catch(() => undefined);
    });
    await expect(swallowing).rejects.toBeInstanceOf(TransactionAbortedError);
    expect(await ids()).toEqual([]);
  });

  it('refuses a statement after the end of its transaction', async () => {
    const tx = await database.transaction(async (own) => own);
    await expect(tx.query('INSERT INTO items VALUES (1)')).rejects.toThrow(/has ended/);
  });

  it('keeps the SQLSTATE of a failed statement', async () => {
    await database.query('INSERT INTO items VALUES (1)');
    const failure = await database.query('INSERT INTO items VALUES (1)').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: '23505', constraint: 'items_pkey' });
    expect(isDatabaseUnavailable(failure)).toBe(false);
  });

  it('survives the loss of every connection, idle or inside a transaction, and says that the database was away', async () => {
    const broken = database.transaction(async (tx) => {
      const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await elsewhere(`SELECT pg_terminate_backend(${own!.pid}, 1000)`);
      await new Promise((resolve) => setImmediate(resolve));
      await tx.query('SELECT 1');
    });
    const failure = await broken.catch((error: unknown) => error);
    expect(isDatabaseUnavailable(failure)).toBe(true);
    await elsewhere(`SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await expect(eventually(() => database.query('SELECT 1 AS alive'))).resolves.toEqual([{ alive: 1 }]);
    expect(database.connections.active).toBe(0);
  });

  it('waits for a free connection no longer than its limit', async () => {
    const held = Array.from({ length: limits.poolMax }, () => database.query('SELECT pg_sleep(2.3)'));
    expect(database.connections).toMatchObject({ max: limits.poolMax });
    await expect(database.query('SELECT 1')).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await Promise.all(held);
  });

  it('limits statements on every connection', async () => {
    const [limit] = await database.query<{ statement_timeout: string }>('SHOW statement_timeout');
    expect(limit).toEqual({ statement_timeout: '5s' });
  });
});

describe('DatabaseModule', () => {
  it('G1: closes the pool in its turn: after the stops of those who use it', async () => {
    const app = await Test.createTestingModule({
      imports: [
        LifecycleModule.forRoot({ drainDelayMs: 0, shutdownTimeoutMs: 10_000 }),
        DatabaseModule.forRoot({ ...limits, url: cluster.url }),
      ],
    }).compile();
    await app.init();
    const database = app.get(Database);
    const lastWords: unknown[] = [];
    app.get(Lifecycle).onStop('a user of the database', async () => {
      lastWords.push(...(await database.query('SELECT 1 AS last')));
    });
    await app.close();
    expect(lastWords).toEqual([{ last: 1 }]);
    await expect(database.query('SELECT 1')).rejects.toBeInstanceOf(DatabaseUnavailableError);
  });

  it('F2: tells health whether the database answers', async () => {
    const imports = [HealthModule.forRoot(), DatabaseModule.forRoot({ ...limits, url: cluster.url })];
    const app = await Test.createTestingModule({ imports }).compile();
    await app.init();
    const health = app.get(HealthRegistry);
    expect(await health.check()).toEqual({ status: 'healthy', checks: { database: { status: 'healthy' } } });
    await app.close();
    health.unregister('unknown'); // forgets the report, which is a second fresh
    expect(await health.check()).toEqual({ status: 'unhealthy', checks: { database: { status: 'unhealthy' } } });
  });

  it('serves repositories of TypeORM over the same connections, which it does not close', async () => {
    const app = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({ ...limits, poolMax: 1, url: cluster.url }),
        EntitiesModule.forRoot([Note]),
        TypeOrmModule.forFeature([Note]),
      ],
    }).compile();
    await app.init();
    const database = app.get(Database);
    const backend = 'SELECT pg_backend_pid() AS pid';
    expect(app.get(EntityManager)).toBe(app.get(DataSource).manager);
    expect(await app.get(DataSource).query(backend)).toEqual(await database.query(backend));
    await database.query('CREATE TABLE note (id int PRIMARY KEY, words text NOT NULL)');
    const notes = app.get<Repository<Note>>(getRepositoryToken(Note));
    await notes.save({ id: 1, words: 'kept' });
    await app.get(DataSource).destroy();
    expect(await database.query('SELECT words FROM note')).toEqual([{ words: 'kept' }]);
    await app.close();
  });

  it('G4: fails clearly, and without the password, when the database does not come', async () => {
    const url = 'postgresql://eyrie:hush-hush@127.0.0.1:1/eyrie';
    const starting = Test.createTestingModule({
      imports: [DatabaseModule.forRoot({ ...limits, startupTimeoutMs: 200, url })],
    }).compile();
    const failure = (await starting.catch((error: unknown) => error)) as Error;
    expect(failure.message).toMatch(
      /^The database 127\.0\.0\.1:1\/eyrie did not answer within 0\.2 s: connect ECONNREFUSED/,
    );
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('hush-hush');
  });
});

async function elsewhere(text: string): Promise<void> {
  const client = new Client({ connectionString: cluster.url });
  await client.connect();
  await client.query(text);
  await client.end();
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}
