import type { ListedAlert } from '../chaos/facts.ts';
import { judge } from '../chaos/judge.ts';
import type { CheckResult } from '../checks.ts';
import type { Failure, Kill, LiveSight, Phase, PostedAlert, RunFacts } from './facts.ts';

/** What the product says of itself when all has come to rest. */
export interface Ledger {
  alerts: readonly ListedAlert[];
  deadLetters: readonly string[];
  /** Ids of all events that were committed, in their order. */
  events: readonly number[];
}

/** The whole run: what was asked, what was stored, what was told. */
export function judgeRun(facts: RunFacts, { alerts, deadLetters, events }: Ledger): CheckResult[] {
  const listed = withoutRepeatsByNginx(alerts, facts);
  const chaos = { sent: facts.sent, deliveries: facts.deliveries, kills: [], deaths: [] };
  return [
    ...facts.phases.map((phase) => judgePhase(phase, facts.kills)),
    ...judge(chaos, listed, deadLetters).map(({ promise, violations }) => ({ name: promise, faults: violations })),
    { name: 'no event is lost to a client that resumes', faults: facts.live.flatMap((sight) => lost(sight, events)) },
    { name: 'no event comes twice', faults: facts.live.flatMap(repeated) },
    { name: 'each client is told events in their order', faults: facts.live.flatMap(disordered) },
  ];
}

/** O1: no request of the phase failed. */
export function judgePhase(phase: Phase, kills: readonly Kill[]): CheckResult {
  const { failed } = failuresOf(phase, kills);
  const faults = failed.map(({ what, sentAt, endedAt }) => {
    const at = ((sentAt - phase.startedAt) / 1_000).toFixed(1);
    return `${at} s into it, after ${endedAt - sentAt} ms: ${what}`;
  });
  return { name: `${phase.name}: no request fails`, faults };
}

/**
 * A comment that was under way when a replica was killed may have been stored or not, so Nginx must not send it again:
 * that it failed is excused. Nothing else is.
 */
export function failuresOf(phase: Phase, kills: readonly Kill[]): { failed: Failure[]; excused: Failure[] } {
  const { excused = [], failed = [] } = Object.groupBy(phase.failures, (failure) =>
    failure.kind === 'comment' && metKill(failure.sentAt, failure.endedAt, kills) ? 'excused' : 'failed',
  );
  return { failed, excused };
}

function metKill(sentAt: number, endedAt: number, kills: readonly Kill[]): boolean {
  return kills.some(({ from, until }) => sentAt <= until && endedAt >= from);
}

/** A post that met a kill may have been stored before Nginx sent it again: it may count twice, but not more. */
function withoutRepeatsByNginx(
  listed: readonly ListedAlert[],
  { sent, kills }: Pick<RunFacts, 'sent' | 'kills'>,
): ListedAlert[] {
  return listed.map((alert) => {
    const posts = sent.get(alert.id)?.posts ?? [];
    const accepted = posts.filter(({ outcome }) => outcome === 'accepted').length;
    const perhapsTwice = posts.filter(({ sentAt, at }) => metKill(sentAt, at, kills)).length;
    const excess = Math.max(0, alert.occurrences - accepted);
    return { ...alert, occurrences: alert.occurrences - Math.min(excess, perhapsTwice) };
  });
}

function lost({ client, since, seen, resets }: LiveSight, events: readonly number[]): string[] {
  if (since === undefined) return [`${client} was never let in`];
  const told = new Set(seen);
  const missing = events.filter((id) => id > since && !told.has(id));
  return [
    ...(resets > 0 ? [`${client} was told ${resets} times to load everything anew`] : []),
    ...(missing.length > 0 ? [`${client} lacks ${missing.length} events: ${some(missing)}`] : []),
  ];
}

function repeated({ client, seen }: LiveSight): string[] {
  const known = new Set<number>();
  const twice = seen.filter((id) => known.size === known.add(id).size);
  return twice.length > 0 ? [`${client} was told ${twice.length} events again: ${some(twice)}`] : [];
}

function disordered({ client, seen }: LiveSight): string[] {
  const early = seen.filter((id, index) => index > 0 && id < seen[index - 1]!);
  return early.length > 0 ? [`${client} was told ${early.length} events after later ones: ${some(early)}`] : [];
}

function some(ids: readonly number[]): string {
  return ids.slice(0, 5).join(', ') + (ids.length > 5 ? ', …' : '');
}

/** What a run still waits for before it is judged: clients that have not caught up. */
export function behind(live: readonly LiveSight[], lastEvent: number): LiveSight[] {
  return live.filter(({ seen, since }) => (seen.at(-1) ?? since ?? -1) < lastEvent);
}

/** How many of the alerts were accepted. */
export function accepted(sent: ReadonlyMap<string, PostedAlert>): number {
  return [...sent.values()].filter(({ posts }) => posts.some(({ outcome }) => outcome === 'accepted')).length;
}
