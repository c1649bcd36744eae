import { type Escalation } from './escalations-config.js';

/**
 * When the nth step is due, counted from 0 through all rounds; undefined when there is none. `beganAt` and the answer in
 * milliseconds. A round begins with its first step so long after the last step of the round before as `repeat` says.
 */
export function dueAt({ steps, repeatMs }: Escalation, beganAt: number, nth: number): number | undefined {
  const round = Math.floor(nth / steps.length);
  if (round > 0 && repeatMs === undefined) return undefined;
  const span = steps.at(-1)!.afterMs - steps[0]!.afterMs + (repeatMs ?? 0);
  return beganAt + steps[nth % steps.length]!.afterMs + round * span;
}

/** The receivers of the steps that are due by now, each once, and the step that comes next. */
export function dueSteps(
  escalation: Escalation,
  beganAt: number,
  first: number,
  now: number,
): { receivers: string[]; next: number; nextAt: number | undefined } {
  const receivers = new Set<string>();
  let next = first;
  let nextAt = dueAt(escalation, beganAt, next);
  while (nextAt !== undefined && nextAt <= now) {
    receivers.add(escalation.steps[next % escalation.steps.length]!.receiver);
    next += 1;
    nextAt = dueAt(escalation, beganAt, next);
  }
  return { receivers: [...receivers], next, nextAt };
}
