import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { onceInRun, runFolder } from './test-run.js';

const TEMPLATE = 'eyrie_template';

/** How long connections that were just closed may take to vanish from PostgreSQL's list. */
const LEAK_GRACE_MS = 1_000;

let count = 0;

/** A database of its own for one spec file. */
export interface TestDatabase {
  url: string;
  /** Removes it. Throws when something is still connected: then the spec, or what it tests, has left a pool open. */
  drop(): Promise<void>;
}

/**
 * A copy of the migrated template database, on the PostgreSQL that all spec files of a run share.
 *
 * @example
 * const database = await testDatabase();
 * afterAll(() => database.drop());
 */
export async function testDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await postgres();
  const name = `spec_${process.pid}_${++count}`;
  await run(server, `CREATE DATABASE ${name} TEMPLATE ${empty ? 'template0' : TEMPLATE}`);
  return { url: databaseUrl(server, name), drop: () => drop(server, name) };
}

/** The maintenance database of this run's PostgreSQL, started and given its template by whoever comes first. */
function postgres(): Promise<string> {
  return onceInRun('postgres', async (started) => {
    const { embeddedDatabase } = await import('eyrie/database');
    const { url, directory } = await embeddedDatabase({ directory: join(runFolder(), 'postgres'), durable: false });
    const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    await started({ pid: Number(pid), signal: 'SIGQUIT', directory });
    const server = databaseUrl(url, 'postgres');
    await run(server, `DROP DATABASE IF EXISTS ${TEMPLATE}`, `CREATE DATABASE ${TEMPLATE}`);
    const { prepareTemplate } = await import('./template.js');
    await prepareTemplate(databaseUrl(url, TEMPLATE));
    return server;
  });
}

async function drop(server: string, name: string): Promise<void> {
  const leaks = await leaksOf(server, name);
  await run(server, `DROP DATABASE ${name} WITH (FORCE)`);
  if (leaks.length > 0) throw new Error(`Connections were left open:\n${leaks.join('\n')}`);
}

async function leaksOf(server: string, name: string): Promise<string[]> {
  const connected = `SELECT format('%s (%s): %s', application_name, state, query) AS leak FROM pg_stat_activity
                     WHERE datname = '${name}' AND backend_type = 'client backend'`;
  for (const deadline = Date.now() + LEAK_GRACE_MS; ; await sleep(20)) {
    const rows = await run(server, connected);
    if (rows.length === 0 || Date.now() > deadline) return rows.map(({ leak }) => String(leak));
  }
}

async function run(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
