import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from '../harness/database-server.ts';
import type { EyrieSide } from './sides.ts';
import { median } from './statistics.ts';

const PAGES = 30;

/**
 * Milliseconds that PostgreSQL itself spends on one page of firing alerts (parse, bind and execute of every statement of
 * the request that reads alerts), as its own log tells them: nothing of the product is changed or imitated for it.
 */
export async function timePages(database: DatabaseServer, side: EyrieSide): Promise<number> {
  const logDurations = (value: string) =>
    database.query(
      side.databaseUrl,
      `ALTER SYSTEM SET log_min_duration_statement = ${value}`,
      `ALTER SYSTEM SET log_line_prefix = '%d '`,
      'SELECT pg_reload_conf()',
    );
  await logDurations('0');
  try {
    await sleep(300);
    const times: number[] = [];
    for (let page = 0; page < PAGES; page++) times.push(await timePage(database.logFile, side));
    // The first few plan the statement and warm the cache.
    return median(times.slice(5));
  } finally {
    await logDurations('-1');
  }
}

async function timePage(logFile: string, { url, operatorKey, databaseUrl }: EyrieSide): Promise<number> {
  const { size: before } = await stat(logFile);
  const response = await fetch(`${url}/api/v1/alerts?state=firing&limit=100`, {
    headers: { authorization: `Bearer ${operatorKey}` },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`a page of alerts was answered with ${response.status}: ${text.slice(0, 300)}`);
  await sleep(20);
  const lines = (await readFile(logFile))
    .subarray(before)
    .toString()
    .split(/\n(?=\S)/);
  const own = `${new URL(databaseUrl).pathname.slice(1)} `;
  const spent = lines
    .filter((line) => line.startsWith(own) && /\bFROM\s+(\w+\.)?alerts\b/i.test(line))
    .map((line) => Number(/duration: ([\d.]+) ms/.exec(line)?.[1] ?? 0));
  if (spent.length === 0) throw new Error('PostgreSQL logged no statement for a page of alerts');
  return spent.reduce((sum, milliseconds) => sum + milliseconds, 0);
}
