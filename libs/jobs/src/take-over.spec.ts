import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { eventually } from '../../../test/harness/eventually.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { handlerOf, probe, startWorker } from '../fixtures/test-worker.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/worker.ts', import.meta.url));
const HOOKS = fileURLToPath(new URL('../../lifecycle/fixtures/typescript.mjs', import.meta.url));

let database: TestDatabase;
let pool: Pool;
let child: ChildProcess | undefined;
const workers: INestApplicationContext[] = [];
const taken: { name: string; attempt: number; at: number }[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await testDatabase();
  pool = new Pool({ connectionString: database.url, max: 2 });
});
beforeEach(async () => {
  taken.length = 0;
  await pool.query('DELETE FROM graphile_worker._private_jobs; DELETE FROM job_workers');
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const add = (name: string) => pool.query(`SELECT graphile_worker.add_job('probe', $1)`, [{ data: { name } }]);

const listed = async () => (await pool.query<{ id: string; pid: number }>('SELECT id, pid FROM job_workers')).rows;

async function startHere(): Promise<void> {
  const handler = handlerOf(probe, async ({ name }, { attempt }) => {
    taken.push({ name, attempt, at: Date.now() });
  });
  workers.push(await startWorker({ url: database.url, handlers: [handler] }));
}

/** A worker in a process of its own that holds the job; resolves when it does. */
async function holdElsewhere(name: string): Promise<ChildProcess> {
  const flags = ['--conditions=source', '--import', HOOKS];
  const process_ = spawn(process.execPath, [...flags, PROGRAM, database.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = process_;
  await add(name);
  for await (const line of createInterface(process_.stdout)) if (line === `holds ${name}`) return process_;
  throw new Error(`the worker process ended without taking the job`);
}

async function kill(victim: ChildProcess): Promise<void> {
  const exit = once(victim, 'exit');
  victim.kill('SIGKILL');
  await exit;
}

describe('a worker that was killed', () => {
  it('H1: has its job taken over within seconds, by one of those that live', async () => {
    const victim = await holdElsewhere('orphan');
    await startHere();
    await startHere();
    await eventually(async () => (await listed()).length === 3);
    const killedAt = Date.now();
    await kill(victim);
    const job = await eventually(() => taken[0]);
    expect(job).toMatchObject({ name: 'orphan', attempt: 2 });
    expect(job.at - killedAt).toBeLessThan(3_000);
    await eventually(async () => (await pool.query('SELECT FROM graphile_worker._private_jobs')).rowCount === 0);
    expect(taken).toHaveLength(1);
    expect((await listed()).map(({ pid }) => pid)).toEqual([process.pid, process.pid]);
  });

  it('H1: has its job taken over even if it died before its first beat', async () => {
    const victim = await holdElsewhere('unlisted');
    await kill(victim);
    await pool.query('DELETE FROM job_workers');
    const startedAt = Date.now();
    await startHere();
    const job = await eventually(() => taken[0]);
    expect(job).toMatchObject({ name: 'unlisted', attempt: 2 });
    expect(job.at - startedAt).toBeLessThan(4_000);
  });

  it('H1: a worker that lives keeps its job, however long that takes', async () => {
    const held = Promise.withResolvers<void>();
    const handler = handlerOf(probe, ({ name }, { attempt }) => {
      taken.push({ name, attempt, at: Date.now() });
      return held.promise;
    });
    workers.push(await startWorker({ url: database.url, handlers: [handler] }));
    await startHere();
    await add('long');
    await eventually(() => taken[0]);
    // Longer than the silence after which a worker counts as dead, and than a census of unknown ones takes to come round.
    const beats = async () =>
      (
        await pool.query<{ age: number }>(
          'SELECT extract(epoch FROM max(seen_at) - min(started_at))::float8 AS age FROM job_workers',
        )
      ).rows[0]!.age;
    await eventually(async () => (await beats()) > 1.5);
    expect(taken).toHaveLength(1);
    held.resolve();
  });
});

describe('PostgreSQL going away', () => {
  it('H1: a worker that loses every connection goes on when it can, and its job is not lost', async () => {
    await startHere();
    await add('before');
    await eventually(() => taken.length === 1);
    for (const round of [1, 2, 3]) {
      const { rowCount } = await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'eyrie-jobs'`,
      );
      expect(rowCount).toBeGreaterThan(0);
      await add(`after ${round}`);
      await eventually(() => taken.some(({ name }) => name === `after ${round}`), 10_000);
    }
    await eventually(async () => (await pool.query('SELECT FROM graphile_worker._private_jobs')).rowCount === 0);
  });

  it('H1: a job whose worker lost its connections while it held it is completed, or done again, never lost', async () => {
    const held = Promise.withResolvers<void>();
    const handler = handlerOf(probe, ({ name }, { attempt }) => {
      taken.push({ name, attempt, at: Date.now() });
      return held.promise;
    });
    workers.push(await startWorker({ url: database.url, handlers: [handler] }));
    await add('held');
    await eventually(() => taken.length === 1);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'eyrie-jobs'`,
    );
    held.resolve();
    await eventually(
      async () => (await pool.query('SELECT FROM graphile_worker._private_jobs')).rowCount === 0,
      10_000,
    );
  });
});
