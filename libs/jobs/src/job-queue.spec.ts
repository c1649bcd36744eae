import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runInContext } from 'eyrie/logging';
import { Client } from 'pg';
import * as z from 'zod';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { defineTask, JobQueue, type Transaction } from './index.js';

interface StoredJob {
  payload: unknown;
  due: number;
  max_attempts: number;
}

const greet = defineTask('greet', z.strictObject({ name: z.string() }));
const once = defineTask('once', z.object({}), { maxAttempts: 1 });
const queue = new JobQueue();
let database: TestDatabase;
let client: Client;
let statements: string[];

/** A transaction of the spec's own connection, with note of each statement. */
const tx: Transaction = {
  async query<Row>(statement: string | { name: string; text: string }, parameters?: readonly unknown[]) {
    const text = typeof statement === 'string' ? statement : statement.text;
    statements.push(text);
    return (await client.query(text, parameters as unknown[])).rows as Row[];
  },
};

async function inTransaction(end: 'COMMIT' | 'ROLLBACK', work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  await work();
  await client.query(end);
}

async function stored(task: string): Promise<StoredJob[]> {
  const { rows } = await client.query<StoredJob>(
    `SELECT payload, max_attempts, extract(epoch FROM run_at - now())::float8 AS due
     FROM graphile_worker._private_jobs AS jobs JOIN graphile_worker._private_tasks AS tasks ON tasks.id = task_id
     WHERE identifier = $1 ORDER BY jobs.id`,
    [task],
  );
  return rows;
}

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});
beforeEach(async () => {
  statements = [];
  await client.query('DELETE FROM graphile_worker._private_jobs');
});

describe('JobQueue', () => {
  it('H1: a job exists if, and only if, its transaction commits', async () => {
    await inTransaction('ROLLBACK', () => queue.enqueue(tx, greet, { name: 'nobody' }));
    expect(await stored('greet')).toEqual([]);
    await inTransaction('COMMIT', () => queue.enqueue(tx, greet, { name: 'Ada' }));
    expect(await stored('greet')).toMatchObject([{ payload: { data: { name: 'Ada' } } }]);
  });

  it('H1: many jobs are one statement, none is none', async () => {
    const jobs = Array.from({ length: 500 }, (_, number) => ({ payload: { name: `guest ${number}` } }));
    await queue.enqueueMany(tx, greet, jobs);
    expect(statements).toHaveLength(1);
    expect((await stored('greet')).map(({ payload }) => payload)).toEqual(
      jobs.map(({ payload }) => ({ data: payload })),
    );
    await queue.enqueueMany(tx, greet, []);
    expect(statements).toHaveLength(1);
  });

  it('H1: a payload that does not fit its schema keeps the whole batch out', async () => {
    const bad = { name: 7 } as unknown as { name: string };
    const batch = [{ payload: { name: 'Ada' } }, { payload: bad }];
    await expect(queue.enqueueMany(tx, greet, batch)).rejects.toThrow(z.ZodError);
    expect(statements).toEqual([]);
    expect(await stored('greet')).toEqual([]);
  });

  it('H1: each job of a batch keeps its own time, and its task the number of attempts', async () => {
    const soon = { payload: { name: 'soon' } };
    const later = { payload: { name: 'later' }, runAt: new Date(Date.now() + 3_600_000) };
    await queue.enqueueMany(tx, greet, [soon, later]);
    const [first, second] = await stored('greet');
    expect(first).toMatchObject({ max_attempts: 25 });
    expect(first!.due).toBeLessThanOrEqual(0);
    expect(second!.due).toBeGreaterThan(3_500);
    await queue.enqueue(tx, once, {});
    expect(await stored('once')).toMatchObject([{ max_attempts: 1 }]);
  });

  it('C4: a job remembers the request that enqueued it', async () => {
    await runInContext({ requestId: 'request-1', userId: 'ada' }, () => queue.enqueue(tx, greet, { name: 'Ada' }));
    await queue.enqueue(tx, greet, { name: 'nobody' });
    expect((await stored('greet')).map(({ payload }) => payload)).toEqual([
      { data: { name: 'Ada' }, origin: { requestId: 'request-1' } },
      { data: { name: 'nobody' } },
    ]);
  });
});

describe('defineTask', () => {
  it.each(['Greet', 'greet all', '', '1st'])('refuses the name "%s"', (name) => {
    expect(() => defineTask(name, z.object({}))).toThrow('must be kebab-case');
  });
});
