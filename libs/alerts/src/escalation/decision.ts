import { type Escalation } from './escalations-config.js';
import { dueSteps } from './schedule.js';

/** How far the escalation of an alert has come. Times in milliseconds. */
export interface Progress {
  /** The next one, counted from 0 through all rounds. */
  readonly step: number;
  /** What the delays of the steps count from. */
  readonly beganAt: number;
  /** Null when no step is left. */
  readonly nextAt: number | null;
  readonly heldSince: number | null;
  readonly heldBy: 'acknowledgement' | 'mute' | null;
}

/** What speaks for or against telling somebody of an alert now. */
export interface Circumstances {
  readonly over: boolean;
  readonly acknowledged: boolean;
  /** Snoozed, silenced or inhibited. */
  readonly muted: boolean;
  /** When a snooze ends. */
  readonly snoozedUntil?: number | undefined;
}

/** How often an escalation that is held is looked at: what holds it does not know of it. */
export const LOOK_AGAIN_MS = 10_000;

/**
 * What becomes of an escalation whose time has come. An acknowledgement stops it, and once that is gone it begins anew; a
 * mute lets it pause: what is due meanwhile waits for the end, and the later steps move with it.
 */
export function advance(
  escalation: Escalation,
  progress: Progress,
  { over, acknowledged, muted, snoozedUntil = Infinity }: Circumstances,
  now: number,
): { progress: Progress; tell: string[] } {
  if (over || acknowledged || muted) {
    const heldBy = acknowledged ? 'acknowledgement' : (progress.heldBy ?? 'mute');
    const heldSince = progress.heldSince ?? now;
    return {
      progress: { ...progress, heldBy, heldSince, nextAt: Math.min(now + LOOK_AGAIN_MS, snoozedUntil) },
      tell: [],
    };
  }
  const { step, beganAt } = resumed(progress, now);
  const { receivers, next, nextAt } = dueSteps(escalation, beganAt, step, now);
  return {
    progress: { step: next, beganAt, nextAt: nextAt ?? null, heldSince: null, heldBy: null },
    tell: receivers,
  };
}

function resumed({ step, beganAt, heldSince, heldBy }: Progress, now: number): Pick<Progress, 'step' | 'beganAt'> {
  if (heldSince === null) return { step, beganAt };
  return heldBy === 'acknowledgement' ? { step: 0, beganAt: now } : { step, beganAt: beganAt + now - heldSince };
}
