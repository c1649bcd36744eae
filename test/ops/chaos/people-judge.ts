import type { AlertStatus, Delivery } from './facts.ts';
import type { Verdict } from './judge.ts';
import { FIRST, NEXT, type PeopleFacts, type Story } from './people-facts.ts';

/** What people are still to be told: empty once the run has come to rest. */
export function awaited({ stories, deliveries }: Omit<PeopleFacts, 'refusals'>): string[] {
  const told = keysOf(deliveries);
  return stories.flatMap((story) => missing(story, told));
}

/** Judges what became of silences, acknowledgements, escalations and heartbeats. */
export function judgePeople(facts: PeopleFacts): Verdict[] {
  const { stories, deliveries, refusals } = facts;
  const told = keysOf(deliveries);
  const of = (kind: Story['kind']) => stories.filter((story) => story.kind === kind);
  return [
    {
      promise: 'what is silenced is not told',
      violations: of('silenced').flatMap((one) => toldInSilence(one, deliveries)),
    },
    { promise: 'what is silenced no longer is told', violations: of('silenced').flatMap((one) => missing(one, told)) },
    {
      promise: 'what nobody acknowledges is told to the next',
      violations: of('paged').flatMap((one) => missing(one, told)),
    },
    {
      promise: 'what is acknowledged goes no further',
      violations: of('paged')
        .filter(({ id, acknowledgedInTime }) => acknowledgedInTime && keys(told, NEXT, id, 'firing') > 0)
        .map(({ id }) => `${id} was acknowledged, and told to the next`),
    },
    {
      promise: 'an acknowledgement is in the history, once',
      violations: of('paged')
        // Where an answer was lost, it may have been said twice.
        .filter(({ recorded = 1, uncertain }) => recorded === 0 || (recorded > 1 && !uncertain))
        .map(({ id, recorded }) => `${id} was acknowledged, and its history says so ${recorded} times`),
    },
    {
      promise: 'a heartbeat that stays away is told, and its return',
      violations: of('heartbeat').flatMap((one) => missing(one, told)),
    },
    { promise: 'what people ask for is not refused', violations: [...refusals] },
    { promise: 'nobody is told twice', violations: stories.flatMap((one) => toldTwice(one, told)) },
  ];
}

/** By path, alert and status: the keys of the notifications that told of it. */
type Told = ReadonlyMap<string, ReadonlySet<string>>;

const notice = (path: string, id: string, status: AlertStatus) => `${path} ${id} ${status}`;

function keysOf(deliveries: readonly Delivery[]): Told {
  const told = new Map<string, Set<string>>();
  for (const { path, key, alerts, deliveredAt } of deliveries) {
    if (deliveredAt === undefined) continue;
    for (const { id, status } of alerts) {
      const what = notice(path, id, status);
      told.set(what, (told.get(what) ?? new Set()).add(key));
    }
  }
  return told;
}

function keys(told: Told, path: string, id: string, status: AlertStatus): number {
  return told.get(notice(path, id, status))?.size ?? 0;
}

function missing(story: Story, told: Told): string[] {
  const { id, kind } = story;
  const lacks = (path: string, status: AlertStatus) =>
    keys(told, path, id, status) === 0 ? [`${id} was never told at ${path} as ${status}`] : [];
  if (story.raisedAt === undefined) return [];
  if (kind === 'silenced') return story.unsilenced ? lacks(FIRST, 'firing') : [];
  if (kind === 'heartbeat') return [...lacks(FIRST, 'firing'), ...(story.well ? lacks(FIRST, 'resolved') : [])];
  // Whose acknowledgement came late, or perhaps, may have been relieved or not.
  const alone = story.acknowledgedInTime === undefined;
  return [...lacks(FIRST, 'firing'), ...(alone ? lacks(NEXT, 'firing') : [])];
}

/** An attempt counts, whether it was answered or not. */
function toldInSilence({ id, unsilencedAt = Infinity }: Story, deliveries: readonly Delivery[]): string[] {
  const early = deliveries.filter(({ at, alerts }) => at < unsilencedAt && alerts.some((alert) => alert.id === id));
  return early.length > 0 ? [`${id} was silenced, and told ${early.length} times`] : [];
}

/** A beat that was sent again may have ended one episode and begun another: of those, each is told. */
function toldTwice({ id, kind, uncertain }: Story, told: Told): string[] {
  if (kind === 'heartbeat' && uncertain) return [];
  return [FIRST, NEXT].flatMap((path) =>
    (['firing', 'resolved'] as const)
      .filter((status) => keys(told, path, id, status) > 1)
      .map((status) => `${id} was told at ${path} as ${status} by ${keys(told, path, id, status)} notifications`),
  );
}
