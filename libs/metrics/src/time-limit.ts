/** One limit, from now on, for everything that is waited for under it. */
export class TimeLimit {
  private readonly exceeded = Promise.withResolvers<never>();
  private readonly timer: NodeJS.Timeout;

  constructor(ms: number) {
    this.exceeded.promise.catch(() => undefined); // it may pass with nothing under it
    this.timer = setTimeout(() => this.exceeded.reject(new Error(`not done within ${ms} ms`)), ms);
  }

  /** The result, or an error when the time is over; the work itself goes on, and what becomes of it is ignored. */
  apply<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.exceeded.promise]);
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}
