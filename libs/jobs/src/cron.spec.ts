import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import * as z from 'zod';
import { eventually } from '../../../test/harness/eventually.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { handlerOf, probe, startWorker } from '../fixtures/test-worker.js';
import { type CronEntry, defineTask } from './index.js';

const MINUTE = 60_000;
let database: TestDatabase;
let pool: Pool;
const workers: INestApplicationContext[] = [];
const taken: string[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await testDatabase();
  pool = new Pool({ connectionString: database.url, max: 1 });
});
afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function start(cron: CronEntry[]): Promise<void> {
  const handler = handlerOf(probe, async ({ name }) => void taken.push(name));
  workers.push(await startWorker({ url: database.url, handlers: [handler], cron }));
}

const known = async () => {
  const { rows } = await pool.query<{ identifier: string; ran: boolean }>(
    `SELECT identifier, last_execution IS NOT NULL AS ran FROM graphile_worker._private_known_crontabs ORDER BY 1`,
  );
  return rows;
};

/** Moves the time of day, and nothing else: timers run on. */
function setTime(time: number): void {
  jest.useFakeTimers({
    now: time,
    doNotFake: [
      ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
      ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
}

describe('a task that the clock calls for', () => {
  it('H1: is enqueued once a minute, however many workers there are', async () => {
    const minute = Math.floor(Date.now() / MINUTE) * MINUTE;
    setTime(minute - 50);
    const cron = [{ task: probe, match: '* * * * *', payload: { name: 'tick' } }] as CronEntry[];
    await start(cron);
    await start(cron);
    await eventually(async () => (await known()).length === 2);
    expect(taken).toEqual([]);
    const timers = jest.spyOn(globalThis, 'setTimeout');
    setTime(minute + 5);
    await eventually(() => taken.length > 0);
    // Both workers have been through this minute, and wait for the next.
    await eventually(() => timers.mock.calls.filter(([, delay]) => delay === MINUTE - 5 + 1).length === 2);
    await eventually(async () => (await pool.query('SELECT FROM graphile_worker._private_jobs')).rowCount === 0);
    expect(taken).toEqual(['tick']);
    expect(await known()).toEqual([
      { identifier: 'probe', ran: true },
      { identifier: 'prune-job-failures', ran: new Date(minute).getUTCMinutes() === 17 },
    ]);
  });

  it('H1: is caught up, each time once, after a gap in which there was no worker or its last moments were lost', async () => {
    const minute = Math.floor(Date.now() / MINUTE) * MINUTE;
    setTime(minute + 30_000);
    taken.length = 0;
    const cron = [{ task: probe, match: '* * * * *', payload: { name: 'late' } }] as CronEntry[];
    await start(cron);
    await eventually(async () => (await known()).length === 2);
    await workers.pop()!.close();
    await pool.query(
      `UPDATE graphile_worker._private_known_crontabs
       SET known_since = to_timestamp($1), last_execution = to_timestamp($1) WHERE identifier = 'probe'`,
      [minute / 1000 - 180],
    );
    taken.length = 0;
    await start(cron);
    await start(cron);
    await eventually(() => taken.length >= 3);
    await eventually(async () => (await pool.query('SELECT FROM graphile_worker._private_jobs')).rowCount === 0);
    expect(taken).toEqual(['late', 'late', 'late']);
  });

  it.each([
    ['a payload that does not fit its task', { task: probe, match: '* * * * *', payload: { nam: 'tick' } }, /nam/],
    ['a time that is none', { task: probe, match: 'at noon', payload: { name: 'tick' } }, /at noon/],
    [
      'a task that is not listed',
      { task: defineTask('stray', z.object({})), match: '* * * * *' },
      /unlisted task stray/,
    ],
  ])('A2: %s keeps the worker from starting', async (_title, entry, message) => {
    await expect(start([entry as CronEntry])).rejects.toThrow(message);
  });
});
