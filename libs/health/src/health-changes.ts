import type { HealthStatus } from './health-check.js';

/** A change of health that has lasted. */
export interface HealthChange {
  check: string;
  /** `unknown` at the first word about a check, so that what an earlier process left behind can be cleared. */
  from: HealthStatus | 'unknown';
  to: HealthStatus;
  critical: boolean;
  /** Why it is not healthy: short, without secrets. */
  error?: string;
}

interface Known {
  /** The state that was told last. */
  told: HealthStatus | 'unknown';
  /** Since when results differ from it. */
  differsSince?: number;
}

/**
 * Tells changes from flapping. Healthy is believed at the first result that says so, if nothing else was told before;
 * any other change once the results have differed from what was told for some time without a break.
 */
export class HealthChanges {
  private readonly known = new Map<string, Known>();

  constructor(private readonly afterMs: number) {}

  /** Takes a result; returns the state told before if this now is a change. */
  see(name: string, status: HealthStatus, at: number): Known['told'] | undefined {
    const known = this.known.get(name) ?? { told: 'unknown' };
    this.known.set(name, known);
    if (status === known.told) {
      known.differsSince = undefined;
      return undefined;
    }
    known.differsSince ??= at;
    const atOnce = known.told === 'unknown' && status === 'healthy';
    if (!atOnce && at - known.differsSince < this.afterMs) return undefined;
    const from = known.told;
    this.known.set(name, { told: status });
    return from;
  }

  forget(name: string): void {
    this.known.delete(name);
  }
}
