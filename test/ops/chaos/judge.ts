import type { AlertStatus, Delivery, Facts, ListedAlert, SentAlert } from './facts.ts';

/** A promise, and every alert or process that breaks it. */
export interface Verdict {
  promise: string;
  violations: string[];
}

/** What is still to come: empty once every alert that was answered 2xx has been told as it must be. */
export function outstanding({ sent, deliveries }: Pick<Facts, 'sent' | 'deliveries'>): string[] {
  const told = toldAlerts(deliveries);
  return [...undeliveredFiring(sent, told), ...undeliveredResolved(sent, told)];
}

/** Judges a run that has come to rest, by what its sender and receiver saw and what the API lists and holds as dead. */
export function judge(facts: Facts, listed: readonly ListedAlert[], deadLetters: readonly string[]): Verdict[] {
  const { sent, deliveries } = facts;
  const told = toldAlerts(deliveries);
  return [
    { promise: 'every alert answered 2xx is delivered as firing', violations: undeliveredFiring(sent, told) },
    { promise: 'every resolution answered 2xx is delivered', violations: undeliveredResolved(sent, told) },
    {
      promise: 'nothing that was refused is delivered or listed',
      violations: refusedButSeen(sent, deliveries, listed),
    },
    { promise: 'what is invalid is refused, what is valid is not', violations: wronglyAnswered(sent) },
    { promise: 'a repeat carries the same key and the same body', violations: changedRepeats(deliveries) },
    { promise: 'an alert and status is told by one notification', violations: doubleNotifications(deliveries) },
    { promise: 'no firing notice arrives after the resolution', violations: lateFirings(deliveries) },
    { promise: 'occurrences are the accepted posts', violations: wrongOccurrences(sent, listed) },
    { promise: 'no notification is dead', violations: [...deadLetters] },
    { promise: 'no process ends that was not killed', violations: [...facts.deaths] },
  ];
}

type Told = ReadonlyMap<string, ReadonlySet<AlertStatus>>;

/** By alert, what was answered with 200. */
function toldAlerts(deliveries: readonly Delivery[]): Told {
  const told = new Map<string, Set<AlertStatus>>();
  for (const { alerts, deliveredAt } of deliveries) {
    if (deliveredAt === undefined) continue;
    for (const { id, status } of alerts) told.set(id, (told.get(id) ?? new Set()).add(status));
  }
  return told;
}

const posted = ({ posts }: SentAlert, status: AlertStatus, ...outcomes: string[]): boolean =>
  posts.some((post) => post.status === status && outcomes.includes(post.outcome));

/** One whose resolution may have been stored before its group was flushed is rightly never told as firing. */
function undeliveredFiring(sent: Facts['sent'], told: Told): string[] {
  return [...sent.values()]
    .filter((alert) => posted(alert, 'firing', 'accepted') && !posted(alert, 'resolved', 'accepted', 'unknown'))
    .filter(({ id }) => !told.get(id)?.has('firing'))
    .map(({ id }) => `${id} was accepted, and never delivered as firing`);
}

/** A resolution is owed to whom the alert was told as firing. */
function undeliveredResolved(sent: Facts['sent'], told: Told): string[] {
  return [...sent.values()]
    .filter((alert) => posted(alert, 'resolved', 'accepted'))
    .filter(({ id }) => told.get(id)?.has('firing') && !told.get(id)?.has('resolved'))
    .map(({ id }) => `${id} was told as firing, its resolution was accepted, and never delivered`);
}

function refusedButSeen(
  sent: Facts['sent'],
  deliveries: readonly Delivery[],
  listed: readonly ListedAlert[],
): string[] {
  const seen = new Set([
    ...deliveries.flatMap(({ alerts }) => alerts.map(({ id }) => id)),
    ...listed.map(({ id }) => id),
  ]);
  return [...seen].flatMap((id) => {
    const alert = sent.get(id);
    if (!alert) return [`${id} was never sent`];
    const possible = alert.valid && posted(alert, 'firing', 'accepted', 'unknown');
    return possible ? [] : [`${id} was refused`];
  });
}

function wronglyAnswered(sent: Facts['sent']): string[] {
  return [...sent.values()].flatMap(({ id, valid, posts }) => {
    if (valid && posts.some(({ outcome }) => outcome === 'refused')) return [`${id} is valid and was refused`];
    if (!valid && posts.some(({ outcome }) => outcome === 'accepted')) return [`${id} is invalid and was accepted`];
    return [];
  });
}

function changedRepeats(deliveries: readonly Delivery[]): string[] {
  const bodies = new Map<string, string>();
  return deliveries.flatMap(({ key, bodyHash, alerts }) => {
    if (key === '') return [`a request without a key: ${alerts.map(({ id }) => id).join(', ')}`];
    const first = bodies.get(key) ?? bodyHash;
    bodies.set(key, first);
    return first === bodyHash ? [] : [`${key} came with another body`];
  });
}

function doubleNotifications(deliveries: readonly Delivery[]): string[] {
  const keys = new Map<string, Set<string>>();
  for (const { key, alerts } of deliveries) {
    for (const { id, status } of alerts) {
      const notice = `${id} as ${status}`;
      keys.set(notice, (keys.get(notice) ?? new Set()).add(key));
    }
  }
  return [...keys].filter(([, of]) => of.size > 1).map(([notice, of]) => `${notice}: ${[...of].join(', ')}`);
}

function lateFirings(deliveries: readonly Delivery[]): string[] {
  const resolved = new Set<string>();
  return deliveries.flatMap(({ alerts }) =>
    alerts.flatMap(({ id, status }) => {
      if (status === 'resolved') resolved.add(id);
      return status === 'firing' && resolved.has(id) ? [`${id} was told as firing after its resolution`] : [];
    }),
  );
}

/** Of an alert with an open outcome nobody can say how often it was stored. */
function wrongOccurrences(sent: Facts['sent'], listed: readonly ListedAlert[]): string[] {
  const byId = new Map(listed.map((alert) => [alert.id, alert]));
  const repeated = listed.length - byId.size;
  const wrong = [...sent.values()].flatMap(({ id, valid, posts }) => {
    if (!valid || posts.some(({ outcome }) => outcome === 'unknown')) return [];
    const accepted = posts.filter(({ outcome }) => outcome === 'accepted').length;
    const found = byId.get(id)?.occurrences ?? 0;
    return found === accepted ? [] : [`${id}: ${found} occurrences of ${accepted} accepted posts`];
  });
  return repeated > 0 ? [`${repeated} alerts are listed more than once`, ...wrong] : wrong;
}
