import { types } from 'node:util';

/** Redis is not there, did not answer in time, or the connection broke: whether the command took effect is not known. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

/** An answer of Redis that says no: it is there, and the command was wrong or not welcome. */
export function isRefusal(error: unknown): error is Error {
  return types.isNativeError(error) && error.name === 'ReplyError'; // of redis-parser
}

/** Refusals that another connection may not meet: a replica after a failover, a server that loads its data. */
export function isRefusedHere(error: unknown): boolean {
  return isRefusal(error) && /^(READONLY|LOADING|MASTERDOWN|NOAUTH)\b/.test(error.message);
}

/**
 * The message of an error; of one that stands for several (a host with two addresses), theirs. What Redis repeats of a
 * command it does not know is cut off, for it may be a login.
 */
export function messageOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  const { message, errors } = error as AggregateError;
  if (!message && Array.isArray(errors)) return errors.map(messageOf).join(', ');
  return message.replace(/, with args beginning with:.*$/s, '');
}

/** Host, port and number of a database: all of its URL that may be shown. */
export function describeRedis(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'localhost'}:${port || 6379}${pathname === '/' ? '' : pathname}`;
}
