import { type Labels, type Matcher } from '../config/index.js';

/** Alerts that match all of its matchers are not told of between two times. Times in milliseconds since 1970. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: number;
  readonly endsAt: number;
  /** Who is said to have made it; the record of its changes knows who did. */
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations: Labels;
  readonly updatedAt: number;
}

export const silenceStates = ['pending', 'active', 'expired'] as const;
export type SilenceState = (typeof silenceStates)[number];

/** A silence holds from its start on, and no longer at its end. */
export function silenceState({ startsAt, endsAt }: Pick<Silence, 'startsAt' | 'endsAt'>, now: number): SilenceState {
  if (now >= endsAt) return 'expired';
  return now < startsAt ? 'pending' : 'active';
}
