import { type RateLimit, type Spent, spendOne } from './gcra.js';

/** Counts requests of clients, for all processes together. May fail: then each process counts for itself. */
export interface SharedLimiter {
  /** One request of the client that `key` names. */
  spend(key: string, limit: RateLimit): Promise<Spent>;
}

/** Under this token a {@link SharedLimiter} can be provided. */
export const SHARED_LIMITER = Symbol('eyrie:shared-limiter');

export interface MemoryLimiterOptions {
  /** Of clients; those beyond it push out the ones that have not come for longest. */
  capacity?: number;
  now?: () => number;
}

/** Counts requests in this process. */
export class MemoryLimiter implements SharedLimiter {
  private readonly arrivals = new Map<string, number>();
  private readonly capacity: number;
  private readonly now: () => number;

  constructor({ capacity = 10_000, now = () => performance.now() }: MemoryLimiterOptions = {}) {
    this.capacity = capacity;
    this.now = now;
  }

  async spend(key: string, limit: RateLimit): Promise<Spent> {
    return this.spendNow(key, limit);
  }

  spendNow(key: string, limit: RateLimit): Spent {
    const { arrival, spent } = spendOne(this.arrivals.get(key) ?? -Infinity, this.now(), limit);
    // Taken out and put back, so that the first in the map is the one that has not come for longest.
    this.arrivals.delete(key);
    this.arrivals.set(key, arrival);
    const [oldest] = this.arrivals.keys();
    if (this.arrivals.size > this.capacity && oldest !== undefined) this.arrivals.delete(oldest);
    return spent;
  }

  get size(): number {
    return this.arrivals.size;
  }
}
