import type { Pool, PoolClient } from 'pg';
import { TransactionAbortedError, withCode } from './database-error.js';
import type { Listener } from './listener.js';
import type { Queryable, Statement } from './queryable.js';

/** How the connections of the pool are used at the moment. */
export interface ConnectionCounts {
  active: number;
  idle: number;
  /** Callers that wait for a connection. */
  waiting: number;
  max: number;
}

/**
 * SQL over the connections of TypeORM's pool, without its query runner in between: for hot paths, batches and
 * transactions that hold a job queue's statements. Entities and repositories go on working beside it.
 *
 * Nothing is retried here. Only the caller knows whether a statement may run twice.
 */
export class Database implements Queryable {
  constructor(
    private readonly pool: Pool,
    private readonly listener: Listener,
  ) {}

  async query<Row = Record<string, unknown>>(
    statement: string | Statement,
    parameters?: readonly unknown[],
  ): Promise<Row[]> {
    try {
      return rowsOf<Row>(await this.pool.query(queryConfig(statement, parameters)));
    } catch (error) {
      throw withCode(error);
    }
  }

  /**
   * Runs `work` on one connection between BEGIN and COMMIT; when it throws, everything is rolled back and the error goes
   * on. When it returns, what it did is committed. If the connection breaks during COMMIT nobody can tell, and
   * {@link DatabaseUnavailableError} says so.
   *
   * @example await database.transaction(async (tx) => { await tx.query('INSERT …'); await jobs.enqueue(tx, …); });
   */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw withCode(error);
    });
    let broken: Error | undefined;
    const tx = new Transaction(client);
    try {
      await client.query('BEGIN');
      const result = await work(tx);
      tx.end();
      const { command } = await client.query('COMMIT');
      if (command === 'ROLLBACK')
        throw new TransactionAbortedError('Nothing was committed: a statement had failed and its error was ignored');
      return result;
    } catch (error) {
      tx.end();
      await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
      throw withCode(error);
    } finally {
      client.release(broken);
    }
  }

  /**
   * Calls `onNotify` with the payload of every NOTIFY on `channel`, and with `''` after the connection was lost and found
   * again: notices may have been missed meanwhile. Resolves when PostgreSQL listens; the returned function ends it.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    return this.listener.listen(channel, onNotify);
  }

  /** Connections of this process's pool, for metrics and health. */
  get connections(): ConnectionCounts {
    const { totalCount, idleCount, waitingCount, options } = this.pool;
    return { active: totalCount - idleCount, idle: idleCount, waiting: waitingCount, max: options.max };
  }
}

/** The connection of a running transaction. A statement that was not awaited must not run after it. */
class Transaction implements Queryable {
  private ended = false;

  constructor(private readonly client: PoolClient) {}

  async query<Row>(statement: string | Statement, parameters?: readonly unknown[]): Promise<Row[]> {
    if (this.ended) throw new Error('This transaction has ended; was a query not awaited?');
    try {
      return rowsOf<Row>(await this.client.query(queryConfig(statement, parameters)));
    } catch (error) {
      throw withCode(error);
    }
  }

  end(): void {
    this.ended = true;
  }
}

function queryConfig(statement: string | Statement, parameters: readonly unknown[] | undefined) {
  // node-postgres changes neither; its types only lack the word readonly.
  const values = parameters as unknown[] | undefined;
  return typeof statement === 'string'
    ? { text: statement, values }
    : { name: statement.name, text: statement.text, values };
}

/** Several statements in one text give several results; the last one counts. */
function rowsOf<Row>(result: { rows: unknown[] } | { rows: unknown[] }[]): Row[] {
  return (Array.isArray(result) ? result.at(-1)! : result).rows as Row[];
}
