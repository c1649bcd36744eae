import { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Pool } from 'pg';
import type { DatabaseSettings } from './database.config.js';
import { messageOf } from './database-error.js';
import { untilAnswered } from './wait-for-database.js';

/** {@link DatabaseSettings} with the URL decided. */
export interface PoolOptions extends Omit<DatabaseSettings, 'url' | 'embeddedDirectory'> {
  url: string;
  /** Run-time parameters of every connection, such as `{ jit: 'off' }`. */
  session?: Readonly<Record<string, string>>;
  /** What PostgreSQL calls the connections in `pg_stat_activity`. */
  applicationName?: string;
}

const logger = new Logger('Database');

/** Opens the pool as soon as the database gives it a first connection: what it refuses, such as a password, is said now. */
export async function openPool({
  url,
  session = {},
  applicationName = 'eyrie',
  ...limits
}: PoolOptions): Promise<Pool> {
  const { poolMax, connectTimeoutMs, startupTimeoutMs, statementTimeoutMs } = limits;
  const pool = new Pool({
    connectionString: url,
    application_name: applicationName,
    max: poolMax,
    connectionTimeoutMillis: connectTimeoutMs,
    options: Object.entries(session)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    keepAlive: true,
    // Before the silence of an idle connection could be taken for that of a peer that has vanished.
    idleTimeoutMillis: Math.min(30_000, statementTimeoutMs || Infinity),
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    stream: () => socketThatMustMove(statementTimeoutMs && statementTimeoutMs + connectTimeoutMs),
  });
  pool.on('error', (error) => logger.warn(`An idle connection broke: ${messageOf(error)}`));
  // The pool listens to those that are idle only. One that breaks while it is lent out, be it between two statements or
  // before the borrower has had his turn, ends no process: the next statement fails with it, and the pool drops it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    await untilAnswered(url, async () => (await pool.connect()).release(), {
      limitMs: startupTimeoutMs,
      onRetry: ({ error, pauseMs }) =>
        logger.warn(`The database does not answer yet, again in ${pauseMs} ms: ${messageOf(error)}`),
    });
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/**
 * For a peer that has vanished without a word, and so cannot keep its own limits: a connection is closed, and its query
 * fails, when nothing has moved for longer than PostgreSQL lets anything take. One timer for each connection:
 * node-postgres' `query_timeout` makes one for each query, and leaves the connection to the next. 0 is no limit.
 */
function socketThatMustMove(limitMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(limitMs, () => {
    socket.destroy(new Error(`Connection terminated: PostgreSQL has not said a word for ${limitMs} ms`));
  });
}
