import { failedOutcome, readOutcome, type ReadOutcome } from './check-outcome.js';
import type { CheckOutcome, CheckResult, HealthCheck, HealthStatus } from './health-check.js';
import { untraced } from './untraced.js';

/** What else there is to know of a result: the state before it, and what was thrown. */
export interface ResultContext {
  before: HealthStatus | undefined;
  thrown: unknown;
}

export type ResultListener = (check: WatchedCheck, result: CheckResult, context: ResultContext) => void;

/**
 * A registered check and its last result. However many ask, it runs at most once at a time, and one that hangs beyond
 * its limit is neither waited for again nor started a second time: it is unhealthy until it comes back.
 */
export class WatchedCheck {
  last?: CheckResult;
  private running?: Promise<void>;
  private overdue = false;

  constructor(
    readonly definition: Readonly<HealthCheck>,
    private readonly limitMs: number,
    private readonly onResult: ResultListener,
  ) {}

  /** Sees to it that the last result is younger than that. Returns what to wait for, if there is anything. */
  refresh(maxAgeMs: number): Promise<void> | undefined {
    if (this.last && performance.now() - this.last.at < maxAgeMs) return undefined;
    if (this.overdue) {
      this.record(failedOutcome(this.noAnswer()), this.last?.durationMs ?? this.limitMs);
      return undefined;
    }
    this.running ??= this.run();
    return this.running;
  }

  /** Lets the last result count as old. */
  expire(): void {
    if (this.last) this.last = { ...this.last, at: -Infinity };
  }

  private run(): Promise<void> {
    const started = performance.now();
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(() => {
      this.overdue = true;
      const error = this.noAnswer();
      this.record(failedOutcome(error), this.limitMs, error);
      abort.abort(error);
      resolve();
    }, this.limitMs);
    let thrown: unknown;
    const fail = (error: unknown) => {
      thrown = error;
      return failedOutcome(error);
    };
    // Within an async function also what begins only when it is awaited: attempts of Terminus.
    void untraced(async () => this.call(abort.signal))
      .then(readOutcome)
      .catch(fail)
      .then((outcome) => {
        clearTimeout(limit);
        this.running = undefined;
        // What comes too late counts for nothing, but that the check may be started again.
        if (this.overdue) this.overdue = false;
        else this.record(outcome, performance.now() - started, thrown);
        resolve();
      });
    return promise;
  }

  private call(signal: AbortSignal): CheckOutcome | PromiseLike<CheckOutcome> {
    const { check } = this.definition;
    return typeof check === 'function' ? check(signal) : check;
  }

  private record({ status, details, error }: ReadOutcome, durationMs: number, thrown?: unknown): void {
    const counts = status === 'unhealthy' && !this.definition.critical ? 'degraded' : status;
    const before = this.last?.status;
    const checkedAt = new Date();
    this.last = {
      status: counts,
      at: performance.now(),
      checkedAt,
      since: this.last && before === counts ? this.last.since : checkedAt,
      durationMs,
      ...(details && { details }),
      ...(error !== undefined && status !== 'healthy' && { error }),
    };
    this.onResult(this, this.last, { before, thrown });
  }

  private noAnswer(): Error {
    return new Error(`no answer within ${this.limitMs} ms`);
  }
}
