import { Injectable, Logger } from '@nestjs/common';

export interface HealthCheck {
  /** The name in answers and log lines; registering it again replaces the check. */
  name: string;
  /** Whether the process can do nothing useful without it. A check that is not critical only degrades. */
  critical: boolean;
  /** Resolves if all is well. What it rejects with is logged, never shown. */
  check(): Promise<void>;
  /** After this the check counts as failed. 2 s unless told. */
  timeoutMs?: number;
}

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** Health as it may be shown to anybody: names and states, no internals. */
export interface HealthReport {
  status: HealthStatus;
  checks: Record<string, { status: HealthStatus }>;
}

/** What the process says of itself; it serves only while `ready`. */
export type ProcessState = 'starting' | 'ready' | 'draining' | 'stopped';

const freshMs = 1_000;
const defaultTimeoutMs = 2_000;

/**
 * What the process depends on. Libraries that open something register a check for it.
 *
 * However often it is asked, each check runs at most once at a time and at most once a second: probes cannot be used to
 * load a database.
 *
 * @example registry.register({ name: 'database', critical: true, check: () => database.ping() })
 */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();
  private readonly running = new Map<HealthCheck, Promise<void>>();
  private readonly failing = new Set<string>();
  private readonly logger = new Logger('Health');
  private state: () => ProcessState = () => 'ready';
  private report?: { at: number; value: Promise<HealthReport> };

  register(check: HealthCheck): void {
    this.checks.set(check.name, check);
    this.report = undefined;
  }

  unregister(name: string): void {
    this.checks.delete(name);
    this.report = undefined;
  }

  /** Says where the state of the process comes from; without one it counts as ready. */
  follow(state: () => ProcessState): void {
    this.state = state;
  }

  get processState(): ProcessState {
    return this.state();
  }

  /** The outcome of all checks, at most a second old. */
  check(): Promise<HealthReport> {
    const now = performance.now();
    if (!this.report || now - this.report.at > freshMs) {
      const value = this.runAll();
      const report = { at: Infinity, value };
      this.report = report;
      // Its age counts from the end: while it runs, everyone waits for this one.
      void value.then(() => (report.at = performance.now()));
    }
    return this.report.value;
  }

  private async runAll(): Promise<HealthReport> {
    const outcomes = await Promise.all([...this.checks.values()].map((check) => this.runOne(check)));
    const checks = Object.fromEntries(outcomes.map(({ name, status }) => [name, { status }]));
    const statuses = outcomes.map(({ status }) => status);
    const worst = (['unhealthy', 'degraded'] as const).find((status) => statuses.includes(status));
    return { status: worst ?? 'healthy', checks };
  }

  private async runOne(check: HealthCheck): Promise<{ name: string; status: HealthStatus }> {
    const { name, critical } = check;
    try {
      await this.withinTime(check);
      if (this.failing.delete(name)) this.logger.log(`${name} is healthy again`);
      return { name, status: 'healthy' };
    } catch (error) {
      const status = critical ? 'unhealthy' : 'degraded';
      // Once per change, not once per probe.
      if (!this.failing.has(name)) this.logger.warn(`${name} is ${status}`, error);
      this.failing.add(name);
      return { name, status };
    }
  }

  private async withinTime(check: HealthCheck): Promise<void> {
    const { timeoutMs = defaultTimeoutMs } = check;
    // One that hung before may still hang: it is waited for again, not started a second time.
    let run = this.running.get(check);
    if (!run) {
      run = Promise.try(() => check.check()).finally(() => this.running.delete(check));
      run.catch(() => undefined);
      this.running.set(check, run);
    }
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      await Promise.race([run, limit]);
    } finally {
      clearTimeout(timer);
    }
  }
}
