import { types } from 'node:util';

/** SQLSTATE connection_failure. */
const CONNECTION_FAILURE = '08006';

/** The database could not be reached, or the connection broke: whether a statement took effect is not known. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code = CONNECTION_FAILURE;
}

/** A transaction that could only be rolled back although its work returned: it had swallowed a failed statement. */
export class TransactionAbortedError extends Error {
  override readonly name = 'TransactionAbortedError';
  /** SQLSTATE in_failed_sql_transaction. */
  readonly code = '25P02';
}

/** What node-postgres says, without any code, when a connection cannot be had or is gone. */
const connectionTrouble =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after)/;

/** Whether the database is missing rather than the statement wrong: worth a retry, or a 503. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  // 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now, 53300 too_many_connections
  return code !== undefined && (code.startsWith('08') || /^(57P0[123]|53300)$/.test(code));
}

/** SQLSTATE of a failed statement; undefined for errors that are not the database's. */
export function codeOf(error: unknown): string | undefined {
  const code = types.isNativeError(error) ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Gives failures of the connection, which node-postgres leaves without a SQLSTATE, one. Others pass unchanged. */
export function withCode(error: unknown): unknown {
  if (!types.isNativeError(error) || error instanceof DatabaseUnavailableError) return error;
  const isSystemError = 'syscall' in error;
  if (!isSystemError && !connectionTrouble.test(error.message)) return error;
  return new DatabaseUnavailableError(`The database cannot be reached: ${messageOf(error)}`, { cause: error });
}

/** The message of an error; of one that stands for several (a host with two addresses), theirs. */
export function messageOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  const { message, errors } = error as AggregateError;
  return message || !Array.isArray(errors) ? message : errors.map(messageOf).join(', ');
}
