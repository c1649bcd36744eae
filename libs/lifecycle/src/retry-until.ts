import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  /** How long to go on trying, from the first attempt. */
  limitMs: number;
  /** The first pause; each is up to twice the one before. 100 ms unless told. */
  firstPauseMs?: number;
  /** The longest pause. 5 s unless told. */
  longestPauseMs?: number;
  /** Told of each failure and of the pause before the next attempt. */
  onRetry?: (failure: { error: unknown; attempt: number; pauseMs: number }) => void;
  /** Ends the waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Calls `attempt` until it succeeds, backing off exponentially. Half of each pause is random, so that replicas that
 * started together do not knock together. After `limitMs` it throws, with the last failure as the cause.
 *
 * @example await retryUntil(() => client.connect(), { limitMs: 60_000, onRetry: ({ error }) => logger.warn(error) })
 */
export async function retryUntil<T>(attempt: () => Promise<T> | T, options: RetryOptions): Promise<T> {
  const { limitMs, firstPauseMs = 100, longestPauseMs = 5_000, onRetry, signal } = options;
  const started = performance.now();
  for (let count = 1; ; count += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1));
      const pauseMs = Math.round(longest / 2 + (Math.random() * longest) / 2);
      const leftMs = limitMs - (performance.now() - started);
      if (leftMs <= 0) {
        throw new Error(`gave up after ${count} ${count === 1 ? 'attempt' : 'attempts'} in ${limitMs} ms`, {
          cause: error,
        });
      }
      // The last pause is cut short, so that the final attempt falls on the limit and not a long pause before it.
      const cutMs = Math.min(pauseMs, Math.ceil(leftMs));
      onRetry?.({ error, attempt: count, pauseMs: cutMs });
      await sleep(cutMs, undefined, { signal }).catch((reason: unknown) => {
        signal?.throwIfAborted();
        throw reason;
      });
    }
  }
}
