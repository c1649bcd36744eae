import { retryUntil, type RetryOptions } from 'eyrie/lifecycle';
import { Client } from 'pg';
import { codeOf, DatabaseUnavailableError, messageOf } from './database-error.js';

export interface WaitOptions extends Pick<RetryOptions, 'onRetry' | 'signal'> {
  /** How long to go on trying. */
  limitMs: number;
  /** How long one attempt may take. Default 5 s. */
  connectTimeoutMs?: number;
}

/**
 * Resolves once the database answers a query. Tries again with back-off, except when it refuses our role or password:
 * waiting does not mend those.
 * @throws DatabaseUnavailableError that names host, port and database and the last fault, never the password
 */
export async function waitForDatabase(url: string, options: WaitOptions): Promise<void> {
  await untilAnswered(url, () => ask(url, options.connectTimeoutMs ?? 5_000), options);
}

/** {@link waitForDatabase} with a connection that the caller opens. */
export async function untilAnswered(
  url: string,
  connect: () => Promise<void>,
  { limitMs, onRetry, signal }: Omit<WaitOptions, 'connectTimeoutMs'>,
): Promise<void> {
  const refused = new AbortController();
  let last: unknown;
  const attempt = async () => {
    try {
      await connect();
    } catch (error) {
      last = error;
      // Class 28: invalid authorization.
      if (codeOf(error)?.startsWith('28')) refused.abort(error);
      throw error;
    }
  };
  try {
    await retryUntil(attempt, {
      limitMs,
      onRetry,
      signal: AbortSignal.any([refused.signal, ...(signal ? [signal] : [])]),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = refused.signal.aborted ? 'refused this role' : `did not answer within ${limitMs / 1_000} s`;
    throw new DatabaseUnavailableError(`The database ${describeUrl(url)} ${why}: ${messageOf(last)}`, { cause: last });
  }
}

/** Host, port and name of a database: all of its URL that may be shown. */
export function describeUrl(url: string): string {
  if (!URL.canParse(url)) return '(DATABASE_URL is no URL)';
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${searchParams.get('host') ?? (hostname || 'localhost')}:${port || 5432}${pathname}`;
}

async function ask(url: string, connectTimeoutMs: number): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  });
  client.on('error', () => undefined); // the query below fails with it
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    client.end().catch(() => undefined);
  }
}
