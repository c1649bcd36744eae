import type { HealthCheckAttempt, HealthIndicatorResult } from '@nestjs/terminus';

/** `degraded` still serves: something that is not critical fails, or runs short. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** What a check may say beside its state; shown in the details only, texts without secrets. */
export type HealthDetails = Readonly<Record<string, number | string | boolean>>;

/** The simple form of an outcome; nothing at all means healthy. */
export interface HealthOutcome {
  status?: HealthStatus;
  details?: HealthDetails;
}

/** What a check resolves to: nothing, the simple form, or what an indicator of Terminus gives. */
export type CheckOutcome = void | HealthOutcome | HealthIndicatorResult;

/** The answers that a check takes part in: liveness, readiness, start-up. Every check is in `detailed`. */
export type HealthGroup = 'live' | 'ready' | 'startup' | 'detailed';

export interface HealthCheck {
  /** The name in answers, metrics and log lines; registering it again replaces the check. */
  name: string;
  /** Whether the process can do nothing useful without it. A check that is not critical only degrades. */
  critical: boolean;
  /**
   * Whatever it throws or rejects with means unhealthy. The signal aborts at the time limit. An attempt of Terminus'
   * `HealthIndicatorService` may stand here itself.
   */
  check: HealthCheckAttempt | ((signal: AbortSignal) => CheckOutcome | PromiseLike<CheckOutcome>);
  /** After this the check counts as failed; HEALTH_CHECK_TIMEOUT unless told. */
  timeoutMs?: number;
  /** `ready` and `detailed` unless told. In `live` belongs only what lies within the process. */
  groups?: readonly HealthGroup[];
  /** Left out of readiness unless it is unhealthy. */
  quiet?: boolean;
}

/** What came of running a check. */
export interface CheckResult {
  /** As it counts: a check that is not critical is degraded where it would be unhealthy. */
  status: HealthStatus;
  /** When, in milliseconds of `performance.now()`. */
  at: number;
  /** When, and since when it has been in this state without a break. */
  checkedAt: Date;
  since: Date;
  durationMs: number;
  details?: HealthDetails;
  /** Why it is not healthy: short, without secrets. */
  error?: string;
}

/** A check with its last result. */
export interface CheckedHealth {
  definition: Readonly<HealthCheck>;
  result: CheckResult;
}
