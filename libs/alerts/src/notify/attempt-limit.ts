import type { NotifyOptions } from './types.js';

/**
 * The signal of one attempt: it aborts when the time is up, or with the signal of the job. Has to be ended with the attempt,
 * and leaves nothing behind then; `AbortSignal.timeout` would hold each attempt in memory until its limit has passed.
 */
export class AttemptLimit {
  /** The time is up. */
  exceeded = false;
  private readonly controller = new AbortController();
  private readonly release: () => void;

  /** @param options whose `deadline`, if there is one, aborts in place of a timer */
  constructor(
    private readonly job: AbortSignal,
    limitMs: number,
    { deadline }: Pick<NotifyOptions, 'deadline'>,
  ) {
    const exceed = () => {
      this.exceeded = true;
      this.abort();
    };
    if (deadline) {
      const signal = deadline(limitMs);
      signal.addEventListener('abort', exceed);
      this.release = () => signal.removeEventListener('abort', exceed);
    } else {
      const timer = setTimeout(exceed, limitMs);
      this.release = () => clearTimeout(timer);
    }
    job.addEventListener('abort', this.abort);
    if (job.aborted) this.abort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    this.release();
    this.job.removeEventListener('abort', this.abort);
  }

  private readonly abort = () => this.controller.abort();
}
