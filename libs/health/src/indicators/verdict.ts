import type { HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

/** What an indicator found, in the words of Terminus. */
export type Verdict = 'up' | 'degraded' | 'down';

/** The result of Terminus for a verdict, with why, if there is something to say. */
export function resultOf(
  indicators: HealthIndicatorService,
  key: string,
  verdict: Verdict,
  details: Record<string, number | string>,
  message?: string,
): HealthIndicatorResult {
  const data: Record<string, unknown> = message === undefined ? details : { ...details, message };
  const session = indicators.check(key);
  if (verdict === 'up') return session.up(data);
  return verdict === 'degraded' ? session.degraded(data) : session.down(data);
}

/** To one decimal: more is noise. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
