/** So many requests a second, and so many at once after a pause. */
export interface RateLimit {
  perSecond: number;
  burst: number;
}

/** What became of a request under a limit. */
export interface Spent {
  isAllowed: boolean;
  /** Requests that would be allowed at once now. */
  remaining: number;
  /** Until the next is allowed; 0 for one that is. */
  retryAfterMs: number;
  /** Until the whole burst is allowed again. */
  resetMs: number;
}

/**
 * One step of the generic cell rate algorithm (ITU-T I.371): a token bucket that is a single number, the time at which a
 * client that came evenly would come next.
 *
 * @param arrival - that time, in milliseconds; of a client that has not come before anything up to `now`
 * @returns the next value of `arrival`, and what became of the request
 */
export function spendOne(
  arrival: number,
  now: number,
  { perSecond, burst }: RateLimit,
): { arrival: number; spent: Spent } {
  const interval = 1_000 / perSecond;
  const tolerance = interval * burst;
  const next = Math.max(arrival, now) + interval;
  const early = next - tolerance - now;
  // A thousandth of an interval is a rounding fault, not a request.
  const isAllowed = early <= interval / 1_000;
  const held = isAllowed ? next : Math.max(arrival, now);
  return {
    arrival: held,
    spent: {
      isAllowed,
      remaining: isAllowed ? Math.floor((now + tolerance - held) / interval + 0.001) : 0,
      retryAfterMs: isAllowed ? 0 : early,
      resetMs: held - now,
    },
  };
}
