/**
 * The scripts of deploy/scripts against a model of Docker: every verb and strategy, bad releases, locks, and a deploy that is cut
 * off at each of its steps. No engine is needed. What they do to real containers under load is the drill `deploy`.
 */
import type { Cleanup } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { inTurn } from './check.ts';
import { failureChecks } from './failures.ts';
import { interruptionChecks } from './interruptions.ts';
import { lintChecks } from './lint.ts';
import { lockChecks } from './locks.ts';
import { strategyChecks } from './strategies.ts';

export async function scripts(options: { short: boolean }, _cleanup: Cleanup): Promise<CheckResult[]> {
  return [
    ...(await lintChecks()),
    ...(await inTurn([...strategyChecks(), ...failureChecks(), ...lockChecks()])),
    ...(await interruptionChecks(options)),
  ];
}
