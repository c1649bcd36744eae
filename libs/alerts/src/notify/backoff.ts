/** When to try again, and when to stop. All times in milliseconds. */
export interface BackoffSettings {
  /** The bound of the first wait; each further one is `factor` times as long, up to `maxMs`. */
  firstMs: number;
  factor: number;
  maxMs: number;
  /** The longest `Retry-After` that is honoured in full. */
  retryAfterMaxMs: number;
  /** A notification is given up when its next attempt would come later than this after its first… */
  giveUpAfterMs: number;
  /** …or when it has been tried this often. */
  giveUpAttempts: number;
}

/** An attempt that failed in a way that may pass. */
export interface FailedAttempt {
  /** 1 for the first. */
  attempt: number;
  /** Since the first attempt began. */
  elapsedMs: number;
  /** What the receiver asked for. */
  retryAfterMs?: number | undefined;
}

export type NextAttempt = { retry: true; delayMs: number } | { retry: false; reason: string };

/**
 * Decides on the next attempt: exponential back-off with full jitter (any wait up to the bound is as likely as another,
 * which spreads the repeats of a receiver's outage best). A `Retry-After` is the least wait, and the jitter comes on top,
 * or all who were told the same would come back at the same moment.
 *
 * @param random - uniform in [0, 1)
 */
export function nextAttempt(
  failed: FailedAttempt,
  settings: BackoffSettings,
  random: () => number = Math.random,
): NextAttempt {
  if (failed.attempt >= settings.giveUpAttempts)
    return { retry: false, reason: `given up after ${failed.attempt} attempts` };
  const bound = Math.min(settings.maxMs, settings.firstMs * settings.factor ** (failed.attempt - 1));
  const asked = Math.min(failed.retryAfterMs ?? 0, settings.retryAfterMaxMs);
  const delayMs = Math.round(asked + random() * bound);
  if (failed.elapsedMs + delayMs > settings.giveUpAfterMs) {
    return {
      retry: false,
      reason: `given up after ${Math.round(failed.elapsedMs / 1000)} s and ${failed.attempt} attempts`,
    };
  }
  return { retry: true, delayMs };
}

/**
 * Milliseconds to wait from a `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date; a date in the past is 0. What
 * is neither is ignored.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // All forms of an HTTP date begin with the name of a day; Date.parse alone would read "12 May" or "-5" too.
  const at = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
