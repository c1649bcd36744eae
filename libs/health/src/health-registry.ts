import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { worstOf } from './check-outcome.js';
import type { CheckedHealth, CheckResult, HealthCheck, HealthGroup, HealthStatus } from './health-check.js';
import { type HealthChange, HealthChanges } from './health-changes.js';
import { defaultHealthSettings, HEALTH_SETTINGS, type HealthSettings } from './health.config.js';
import { type ResultContext, WatchedCheck } from './watched-check.js';

/** Health as it may be shown to anybody: names and states, no internals. */
export interface HealthReport {
  status: HealthStatus;
  checks: Record<string, { status: HealthStatus }>;
}

/** What the process says of itself; it serves only while `ready`. */
export type ProcessState = 'starting' | 'ready' | 'draining' | 'stopped';

type ChangeListener = (change: HealthChange) => void;

/**
 * What the process depends on. Libraries that open something register a check for it.
 *
 * However often it is asked, each check runs at most once at a time, and not again while its result is young enough for
 * whoever asks: probes cannot be used to load a database. All answers share the results, so none shows an older one than
 * another has seen.
 *
 * @example registry.register({ name: 'database', critical: true, check: () => database.ping() })
 */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, WatchedCheck>();
  private readonly refreshing = new Map<HealthGroup, Promise<void>>();
  private readonly listeners = new Set<ChangeListener>();
  private readonly changes: HealthChanges;
  private readonly logger = new Logger('Health');
  private state: () => ProcessState = () => 'ready';
  private resultCount = 0;

  constructor(
    @Optional() @Inject(HEALTH_SETTINGS) private readonly settings: HealthSettings = defaultHealthSettings(),
  ) {
    this.changes = new HealthChanges(settings.alertAfterMs);
  }

  register(check: HealthCheck): void {
    const { name, timeoutMs = this.settings.timeoutMs } = check;
    this.checks.set(name, new WatchedCheck(check, timeoutMs, (...result) => this.take(...result)));
    this.startAfresh();
  }

  unregister(name: string): void {
    this.checks.delete(name);
    this.changes.forget(name);
    this.startAfresh();
  }

  /** Says where the state of the process comes from; without one it counts as ready. */
  follow(state: () => ProcessState): void {
    this.state = state;
  }

  get processState(): ProcessState {
    return this.state();
  }

  /** Grows with each result: whatever was made of the results is good as long as it stays. */
  get version(): number {
    return this.resultCount;
  }

  /**
   * Calls the listener at each change of health that has lasted (HEALTH_ALERT_AFTER), and at the first word about each
   * check; not while the process drains. Returns how to end that.
   */
  onChange(listener: ChangeListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** The state of a group, as young as the group's cache wants it: readiness unless told. */
  async check(group: HealthGroup = 'ready'): Promise<HealthReport> {
    await this.refresh(group);
    return this.report(group);
  }

  /** Runs the checks of a group whose results are older than the group allows. One round serves all that wait. */
  refresh(group: HealthGroup, maxAgeMs = this.maxAgeOf(group)): Promise<void> {
    let round = this.refreshing.get(group);
    if (!round) {
      round = this.refreshAll(group, maxAgeMs).finally(() => this.refreshing.delete(group));
      this.refreshing.set(group, round);
    }
    return round;
  }

  /** Until when the results of a group are young enough, in milliseconds of `performance.now()`. */
  freshUntil(group: HealthGroup): number {
    return Math.min(...this.results(group).map(({ result }) => result.at)) + this.maxAgeOf(group);
  }

  /** The last results of a group's checks, in the order in which they were registered. */
  results(group: HealthGroup = 'detailed'): CheckedHealth[] {
    return this.members(group).flatMap(({ definition, last }) => (last ? [{ definition, result: last }] : []));
  }

  /** What the last results say together; runs nothing. */
  report(group: HealthGroup): HealthReport {
    const shown = this.results(group).filter(
      ({ definition, result }) => group !== 'ready' || !definition.quiet || result.status === 'unhealthy',
    );
    return {
      status: worstOf(shown.map(({ result }) => result.status)),
      checks: Object.fromEntries(shown.map(({ definition, result }) => [definition.name, { status: result.status }])),
    };
  }

  private async refreshAll(group: HealthGroup, maxAgeMs: number): Promise<void> {
    const refresh = (checks: WatchedCheck[]) => Promise.all(checks.flatMap((check) => check.refresh(maxAgeMs) ?? []));
    await refresh(this.members(group));
    // Some may have been registered meanwhile; no answer goes out without them.
    for (let rest = this.unseen(group); rest.length > 0; rest = this.unseen(group)) await refresh(rest);
  }

  private unseen(group: HealthGroup): WatchedCheck[] {
    return this.members(group).filter(({ last }) => !last);
  }

  private members(group: HealthGroup): WatchedCheck[] {
    const all = [...this.checks.values()];
    if (group === 'detailed') return all;
    return all.filter(({ definition: { groups = ['ready'] } }) => groups.includes(group));
  }

  private maxAgeOf(group: HealthGroup): number {
    return group === 'detailed' ? this.settings.cacheMs : this.settings.readyCacheMs;
  }

  /** What there is to check has changed: the next to ask gets an answer made anew, of all of it. */
  private startAfresh(): void {
    for (const check of this.checks.values()) check.expire();
    this.resultCount += 1;
  }

  private take(check: WatchedCheck, result: CheckResult, { before, thrown }: ResultContext): void {
    const { name, critical } = check.definition;
    if (this.checks.get(name) !== check) return; // replaced while it ran
    this.resultCount += 1;
    const { status, error } = result;
    // Once per change, not once per probe.
    if (status !== (before ?? 'healthy')) {
      if (status === 'healthy') this.logger.log(`${name} is healthy again`);
      else if (thrown instanceof Error) this.logger.warn(`${name} is ${status}`, thrown);
      else this.logger.warn(`${name} is ${status}${error === undefined ? '' : `: ${error}`}`);
    }
    const state = this.state();
    if (state === 'draining' || state === 'stopped') return; // what closes is no news
    const from = this.changes.see(name, status, result.at);
    if (from !== undefined)
      this.tell({ check: name, from, to: status, critical, ...(error !== undefined && { error }) });
  }

  private tell(change: HealthChange): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (fault) {
        this.logger.error(`A listener failed at the change of ${change.check} to ${change.to}`, fault);
      }
    }
  }
}
