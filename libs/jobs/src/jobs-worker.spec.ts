import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Logger, type Type } from '@nestjs/common';
import { installLogger, runInContext } from 'eyrie/logging';
import { Pool } from 'pg';
import * as z from 'zod';
import { eventually } from '../../../test/harness/eventually.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { handlerOf, probe, startWorker, type TestWorkerOptions } from '../fixtures/test-worker.js';
import { defineTask, type JobInfo, JobQueue, type Task, type Transaction } from './index.js';

type Line = Record<string, unknown>;

const queue = new JobQueue();
let database: TestDatabase;
let pool: Pool;
let tx: Transaction;
let worker: INestApplicationContext | undefined;
let lines: Line[];

beforeAll(async () => {
  database = await testDatabase();
  // What reads the queue from end to end is the worker then.
  pool = new Pool({ connectionString: database.url, max: 2, options: '-c enable_seqscan=off' });
  tx = {
    query: async <Row>(statement: string | { text: string }, parameters?: readonly unknown[]) =>
      (await pool.query(typeof statement === 'string' ? statement : statement.text, parameters as unknown[]))
        .rows as Row[],
  };
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Line), flushSync: () => undefined };
  installLogger({ level: 'debug', format: 'json', service: 'spec', version: '0', environment: 'test', output });
});
beforeEach(async () => {
  lines = [];
  await pool.query('DELETE FROM graphile_worker._private_jobs; DELETE FROM job_failures');
});
afterEach(async () => {
  await worker?.close();
  worker = undefined;
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function work(handlers: Type[], options: Partial<TestWorkerOptions> = {}): Promise<void> {
  worker = await startWorker({ url: database.url, handlers, ...options });
}

/** A handler that notes what it was given, and then does what the spec wants. */
function noting(then: (job: JobInfo) => Promise<void> | void = () => undefined) {
  const taken: { name: string; job: JobInfo }[] = [];
  const handler = handlerOf(probe, async ({ name }, job) => {
    taken.push({ name, job });
    await then(job);
  });
  return { taken, handler };
}

const failures = async () => {
  const { rows } = await pool.query<Line>('SELECT task, attempt, final, payload, error FROM job_failures ORDER BY id');
  return rows;
};

const left = async () => {
  const { rows } = await pool.query<{ attempts: number; wait: number; locked: boolean }>(
    `SELECT attempts, extract(epoch FROM run_at - now())::float8 AS wait, locked_at IS NOT NULL AS locked
     FROM graphile_worker._private_jobs`,
  );
  return rows;
};

describe('the start of a worker', () => {
  const another = defineTask('another', z.object({})) as Task;
  const { handler } = noting();

  it('H1: fails for a task without a handler, and names it', async () => {
    await expect(work([handler], { tasks: [probe as Task, another] })).rejects.toThrow('no handler for task another');
  });

  it('H1: fails for a handler whose task is not listed, and names it', async () => {
    await expect(work([handler, handlerOf(another, async () => undefined)])).rejects.toThrow(
      'handler for unlisted task another',
    );
  });

  it('H1: fails for two handlers of one task', async () => {
    await expect(work([handler, noting().handler])).rejects.toThrow('two handlers for task probe');
  });
});

describe('a job', () => {
  it('H1: reaches its handler once, with its payload, and leaves the queue', async () => {
    const { taken, handler } = noting();
    await work([handler]);
    await queue.enqueueMany(tx, probe, [{ payload: { name: 'one' } }, { payload: { name: 'two' } }]);
    await eventually(async () => (await left()).length === 0 && taken.length > 0);
    expect(taken.map(({ name, job }) => [name, job.attempt]).sort()).toEqual([
      ['one', 1],
      ['two', 1],
    ]);
  });

  it('H1: is found without reading the queue from end to end, which is full of what has gone from it', async () => {
    const readFromEndToEnd = async () => {
      const clients = [await pool.connect(), await pool.connect()];
      for (const client of clients) await client.query('SELECT pg_stat_force_next_flush()');
      clients.forEach((client) => client.release());
      const { rows } = await pool.query<{ scans: number }>(
        `SELECT seq_scan::int AS scans FROM pg_stat_all_tables WHERE relid = 'graphile_worker._private_jobs'::regclass`,
      );
      return rows[0]!.scans;
    };
    const before = await readFromEndToEnd();
    const { taken, handler } = noting();
    await work([handler]);
    for (let many = 1; many <= 10; many++) {
      await queue.enqueue(tx, probe, { name: 'one' });
      await eventually(() => taken.length === many);
    }
    await worker!.close(); // its connections tell what they have read when they end
    worker = undefined;
    // The monitor looks at all of it now and then.
    expect((await readFromEndToEnd()) - before).toBeLessThan(5);
  });

  it('H1: waits for its time', async () => {
    const { taken, handler } = noting();
    await work([handler]);
    await queue.enqueue(tx, probe, { name: 'later' }, new Date(Date.now() + 600_000));
    await queue.enqueue(tx, probe, { name: 'now' });
    await eventually(() => taken.length > 0);
    expect(taken.map(({ name }) => name)).toEqual(['now']);
    expect(await eventually(async () => ((await left()).length === 1 ? left() : undefined))).toMatchObject([
      { attempts: 0 },
    ]);
  });

  it('C4: its log lines carry the request that enqueued it, across awaits, and the job', async () => {
    const logger = new Logger('Probe');
    const { handler } = noting(async () => {
      await new Promise(setImmediate);
      logger.log('at work');
    });
    await work([handler]);
    await runInContext({ requestId: 'request-42' }, () => queue.enqueue(tx, probe, { name: 'traced' }));
    const line = await eventually(() => lines.find(({ message }) => message === 'at work'));
    expect(line).toMatchObject({ request_id: 'request-42', logger: 'Probe' });
    expect(line.job).toMatch(/^probe:\d+$/);
  });

  it('H1: is refused, and kept, when what lies in the queue does not fit its schema', async () => {
    const { taken, handler } = noting();
    await work([handler]);
    await pool.query(`SELECT graphile_worker.add_job('probe', '{"data": {"name": 7}}')`);
    const [failure] = await eventually(async () => ((await failures()).length > 0 ? failures() : undefined));
    expect(failure).toMatchObject({ task: 'probe', attempt: 1, final: false, payload: { name: 7 } });
    expect(failure!.error).toMatch(/ZodError.*expected string/s);
    expect(taken).toEqual([]);
    expect(await left()).toHaveLength(1);
  });
});

describe('a job that fails', () => {
  it('H1: is tried again, after a wait that grows, and each failure is remembered with its reason', async () => {
    const { taken, handler } = noting(() => Promise.reject(new TypeError('no luck today')));
    await work([handler]);
    await queue.enqueue(tx, probe, { name: 'unlucky' });
    const waits: number[] = [];
    for (const attempt of [1, 2, 3]) {
      await eventually(async () => (await left()).some((job) => job.attempts === attempt && !job.locked));
      waits.push((await left())[0]!.wait);
      await pool.query('UPDATE graphile_worker._private_jobs SET run_at = now()');
    }
    expect(waits[1]! / waits[0]!).toBeGreaterThan(1.5);
    expect(waits[2]! / waits[1]!).toBeGreaterThan(1.5);
    expect(taken.slice(0, 3).map(({ job }) => job.attempt)).toEqual([1, 2, 3]);
    const known = { task: 'probe', payload: { name: 'unlucky' }, error: 'TypeError: no luck today', final: false };
    expect((await failures()).slice(0, 3)).toEqual([1, 2, 3].map((attempt) => ({ ...known, attempt })));
    const warning = lines.find(({ level, job }) => level === 'warn' && job !== undefined);
    expect(warning?.message).toMatch(/^attempt 1 of job \d+ failed$/);
  });

  it('H1: is given up after its last attempt, which is marked as final', async () => {
    const frail = defineTask('frail', z.object({}), { maxAttempts: 2 });
    const handler = handlerOf(frail, () => Promise.reject(new Error('never')));
    await work([handler], { tasks: [frail] });
    await queue.enqueue(tx, frail, {});
    await eventually(async () => (await left()).some(({ attempts, locked }) => attempts === 1 && !locked));
    await pool.query('UPDATE graphile_worker._private_jobs SET run_at = now()');
    await eventually(async () => (await failures()).length === 2);
    expect((await failures()).map(({ attempt, final }) => [attempt, final])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('H1: its history is pruned by age', async () => {
    await pool.query(
      `INSERT INTO job_failures (task, job_id, attempt, final, payload, error, worker, failed_at)
       SELECT 'probe', 1, 1, false, '{}', age::text, 'w', now() - age FROM unnest('{59 minutes,61 minutes}'::interval[]) AS age`,
    );
    await work([noting().handler], { failuresKeptMs: 3_600_000 });
    await pool.query(`SELECT graphile_worker.add_job('prune-job-failures')`);
    await eventually(async () => (await failures()).length < 2);
    expect((await failures()).map(({ error }) => error)).toEqual(['00:59:00']);
  });

  it('C5: neither the history nor the log repeats a secret of the error', async () => {
    const { handler } = noting(() => Promise.reject(new Error('POST https://me:hunter2-Zq9@hook.test/ refused')));
    await work([handler]);
    await queue.enqueue(tx, probe, { name: 'leaky' });
    await eventually(async () => (await failures()).length > 0);
    const told = JSON.stringify([await failures(), lines.filter(({ level }) => level !== 'debug')]);
    expect(told).toContain('@hook.test/ refused');
    expect(told).not.toContain('hunter2-Zq9');
  });
});

describe('the stop of a worker', () => {
  it('G1: waits for the job in hand and takes no other', async () => {
    const release = Promise.withResolvers<void>();
    const { taken, handler } = noting(() => release.promise);
    await work([handler], { concurrency: 1 });
    await queue.enqueueMany(tx, probe, [{ payload: { name: 'in hand' } }, { payload: { name: 'next' } }]);
    await eventually(() => taken.length === 1);
    let closed = false;
    const closing = worker!.close().then(() => (closed = true));
    await eventually(async () => (await left()).filter(({ locked }) => locked).length === 1);
    expect([closed, taken[0]!.job.signal.aborted]).toEqual([false, false]);
    release.resolve();
    await closing;
    expect(taken.map(({ name }) => name)).toEqual(['in hand']);
    expect(await left()).toMatchObject([{ attempts: 0, locked: false }]);
    expect((await pool.query('SELECT FROM job_workers')).rowCount).toBe(0);
  });

  it('G3: when its patience is over the signal aborts, and what the job throws then is not lost', async () => {
    const { taken, handler } = noting(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped half-way')))),
    );
    await work([handler], { stopTimeoutMs: 200 });
    await queue.enqueue(tx, probe, { name: 'long' });
    await eventually(() => taken.length === 1);
    await worker!.close();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await failures()).toMatchObject([{ attempt: 1, error: 'Error: stopped half-way' }]);
    expect(await left()).toMatchObject([{ attempts: 1, locked: false }]);
  });
});
