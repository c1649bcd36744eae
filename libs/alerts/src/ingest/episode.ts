import { type AlertState, type IncomingAlert } from '../alert.js';

/** The current episode of a fingerprint, as far as an incoming alert can change it. Times in milliseconds. */
export interface Episode {
  readonly id: string;
  readonly state: AlertState;
  readonly startsAt: number;
  readonly endsAt: number;
  /** No post has named an end: it is `resolve_timeout` after the last one. */
  readonly timeout: boolean;
}

/**
 * What an incoming alert means for the current episode of its fingerprint:
 * - `open`: a new episode (and, where one is still firing, the end of that one);
 * - `continue`: the same episode goes on, perhaps with other content or an earlier start;
 * - `reopen`: it had ended, and goes on after all;
 * - `resolve`: it ends;
 * - `record`: the end of an episode that nobody had reported;
 * - `repeat`: nothing new, but it was seen again;
 * - `stale`: it speaks of an earlier episode.
 */
export type Decision =
  | { kind: 'open' | 'record' }
  | { kind: 'continue' | 'reopen' | 'resolve' | 'repeat'; startsAt: number; endsAt: number }
  | { kind: 'stale' };

/**
 * Alertmanager's merge of overlapping alerts (`types.Alert.Merge`: the earliest start, the latest explicit end), with
 * one difference: there the alert is a single record, here a start after the end opens a new episode.
 */
export function decide(episode: Episode | undefined, alert: IncomingAlert, now: number): Decision {
  return alert.endsAt > now ? decideFiring(episode, alert) : decideResolved(episode, alert);
}

function decideFiring(episode: Episode | undefined, alert: IncomingAlert): Decision {
  if (!episode || alert.startsAt > episode.endsAt) return { kind: 'open' };
  const startsAt = Math.min(alert.startsAt, episode.startsAt);
  if (episode.state === 'resolved') return { kind: 'reopen', startsAt, endsAt: alert.endsAt };
  return {
    kind: 'continue',
    startsAt,
    endsAt: episode.timeout ? alert.endsAt : Math.max(alert.endsAt, episode.endsAt),
  };
}

function decideResolved(episode: Episode | undefined, alert: IncomingAlert): Decision {
  if (!episode) return { kind: 'record' };
  if (alert.startUnknown && episode.state === 'firing') {
    return { kind: 'resolve', startsAt: episode.startsAt, endsAt: Math.max(alert.endsAt, episode.startsAt) };
  }
  if (alert.endsAt < episode.startsAt) return { kind: 'stale' };
  const startsAt = Math.min(alert.startsAt, episode.startsAt);
  if (episode.state === 'firing') return { kind: 'resolve', startsAt, endsAt: alert.endsAt };
  if (alert.startsAt > episode.endsAt && !alert.startUnknown) return { kind: 'record' };
  return { kind: 'repeat', startsAt, endsAt: Math.max(alert.endsAt, episode.endsAt) };
}
