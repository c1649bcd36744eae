export interface CrashPolicyOptions {
  /** So many processes that die young within the window are a loop. */
  limit: number;
  windowMs: number;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
}

/** A process that has served for less long has died young. */
const settledMs = 10_000;
const firstPauseMs = 200;
const longestPauseMs = 30_000;

/**
 * How long to wait before a process that died is replaced, and when there is no point any more. Each further process
 * that dies young doubles the pause, half of which is random; one that had settled is replaced soon.
 */
export class CrashPolicy {
  private readonly now: () => number;
  private readonly random: () => number;
  private young: number[] = [];

  constructor(private readonly options: CrashPolicyOptions) {
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
  }

  /** Notes a death. @param servedMs how long the process had been ready; `undefined` if it never was */
  died(servedMs: number | undefined): { pauseMs: number; isLoop: boolean } {
    const now = this.now();
    this.young = this.young.filter((at) => now - at < this.options.windowMs);
    if (servedMs === undefined || servedMs < settledMs) this.young.push(now);
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, this.young.length - 1));
    return {
      pauseMs: Math.round(longest / 2 + (this.random() * longest) / 2),
      isLoop: this.young.length >= this.options.limit,
    };
  }
}
