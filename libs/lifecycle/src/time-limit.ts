/** Work took longer than it may. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** The result of `work`, or a {@link TimeLimitError} after `ms`. The work itself is not cancelled, only no longer awaited. */
export async function withTimeLimit<T>(work: () => Promise<T> | T, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitError(`not done within ${ms} ms`)), ms);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
  }
}
