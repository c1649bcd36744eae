import { Logger } from '@nestjs/common';
import { retryUntil, type RetryOptions } from 'eyrie/lifecycle';
import { isDatabaseUnavailable, messageOf, withCode } from './database-error.js';

const logger = new Logger('Database');

/**
 * Runs work that start-up needs, again while the database is away, with back-off. Any other failure is thrown at once, and
 * so is the last one after `limitMs`. The signal ends the waiting.
 */
export async function untilAvailable<T>(
  work: () => Promise<T>,
  { limitMs, signal }: Pick<RetryOptions, 'limitMs' | 'signal'>,
): Promise<T> {
  const attempt = async (): Promise<{ value: T } | { fault: unknown }> => {
    try {
      return { value: await work() };
    } catch (error) {
      if (isDatabaseUnavailable(withCode(error))) throw error;
      return { fault: error };
    }
  };
  const result = await retryUntil(attempt, {
    limitMs,
    signal,
    onRetry: ({ error, pauseMs }) =>
      logger.warn(`The database went away during start-up, again in ${pauseMs} ms: ${messageOf(error)}`),
  });
  if ('fault' in result) throw result.fault;
  return result.value;
}
