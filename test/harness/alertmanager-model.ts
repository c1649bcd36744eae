import { type Labels, type MatchOperator } from 'eyrie/alerts';

/** A route as the configuration file has it, with every value said. */
export interface ModelRoute {
  receiver: string;
  matcher?: [name: string, value: string];
  groupBy: string[];
  waitS: number;
  intervalS: number;
  repeatS: number;
  continue: boolean;
  routes: ModelRoute[];
}

interface ModelGroup {
  route: ModelRoute;
  labels: Labels;
  alerts: Map<string, { labels: Labels; endsAt: number }>;
  nextFlush: number;
  flushed: boolean;
}

export interface ModelMatcher {
  name: string;
  operator: MatchOperator;
  value: string;
}

export interface ModelSilence {
  id: number;
  matchers: ModelMatcher[];
  startsAt: number;
  endsAt: number;
}

export interface ModelRule {
  source: ModelMatcher[];
  target: ModelMatcher[];
  equal: string[];
}

type LogEntry = { firing: Set<string>; resolved: Set<string>; at: number };

export const SEND_RESOLVED: Readonly<Record<string, boolean>> = { talkative: true, terse: false };
export const textOf = (labels: Labels) => JSON.stringify(Object.entries(labels).sort());

/** Alertmanager's dispatcher, silences and notification pipeline, as simple as can be: one thread, maps, times in seconds. */
export class Model {
  readonly told: string[] = [];
  private readonly groups = new Map<ModelRoute, Map<string, ModelGroup>>();
  private readonly logs = new Map<ModelRoute, Map<string, LogEntry>>();
  private readonly silences: ModelSilence[] = [];
  private readonly posted = new Map<string, { labels: Labels; endsAt: number }>();

  constructor(
    private readonly root: ModelRoute,
    private readonly rules: readonly ModelRule[],
  ) {}

  post(labels: Labels, startsAt: number, endsAt: number, now: number): void {
    this.posted.set(textOf(labels), { labels, endsAt });
    for (const route of match(this.root, labels)) {
      const groupLabels = Object.fromEntries(Object.entries(labels).filter(([name]) => route.groupBy.includes(name)));
      const groups = this.groups.get(route) ?? new Map<string, ModelGroup>();
      this.groups.set(route, groups);
      let group = groups.get(textOf(groupLabels));
      if (!group) {
        group = { route, labels: groupLabels, alerts: new Map(), nextFlush: now + route.waitS, flushed: false };
        groups.set(textOf(groupLabels), group);
      }
      // Only who joins can hasten a group. In Alertmanager each repeat can, which may save a part of group_wait.
      const joins = endsAt > now && !((group.alerts.get(textOf(labels))?.endsAt ?? now) > now);
      group.alerts.set(textOf(labels), { labels, endsAt });
      if (joins && !group.flushed && startsAt + route.waitS <= now) group.nextFlush = now;
    }
  }

  /** Answers the number by which the silence is known from now on: the same, or that of the one that follows it. */
  silence(wanted: Omit<ModelSilence, 'id'>, id: number | undefined, now: number): number {
    const before = id === undefined ? undefined : this.silences[id]!;
    const pending = before !== undefined && now < before.startsAt;
    const over = before !== undefined && now >= before.endsAt;
    const keeps = before && JSON.stringify(before.matchers) === JSON.stringify(wanted.matchers);
    if (keeps && !over && (pending ? wanted.startsAt >= now : before.startsAt === wanted.startsAt)) {
      Object.assign(before, wanted);
      return before.id;
    }
    if (before) this.expire(before.id, now);
    const made = { ...wanted, id: this.silences.length, startsAt: Math.max(wanted.startsAt, now) };
    this.silences.push(made);
    return made.id;
  }

  expire(id: number, now: number): void {
    const silence = this.silences[id]!;
    silence.endsAt = Math.min(silence.endsAt, now);
    silence.startsAt = Math.min(silence.startsAt, now);
  }

  private mutes(labels: Labels, now: number): boolean {
    const silenced = this.silences.some(
      ({ matchers, startsAt, endsAt }) => startsAt <= now && now < endsAt && matchesEach(matchers, labels),
    );
    const inhibited = this.rules.some(({ source, target, equal }) =>
      [...this.posted.values()].some(
        (other) =>
          other.endsAt > now &&
          matchesEach(target, labels) &&
          matchesEach(source, other.labels) &&
          equal.every((name) => (labels[name] ?? '') === (other.labels[name] ?? '')) &&
          !(matchesEach(source, labels) && matchesEach(target, other.labels)),
      ),
    );
    return silenced || inhibited;
  }

  flush(now: number): void {
    for (const groups of this.groups.values()) {
      for (const [key, group] of groups) {
        if (group.nextFlush > now) continue;
        group.flushed = true;
        group.nextFlush = now + group.route.intervalS;
        this.notify(group, key, now);
        for (const [text, { endsAt }] of group.alerts) if (endsAt <= now) group.alerts.delete(text);
        if (group.alerts.size === 0) groups.delete(key);
      }
    }
  }

  private notify({ route, labels, alerts }: ModelGroup, key: string, now: number): void {
    const sendResolved = SEND_RESOLVED[route.receiver]!;
    const audible = [...alerts].filter(([, alert]) => !this.mutes(alert.labels, now));
    if (audible.length === 0) return;
    const firing = audible.filter(([, { endsAt }]) => endsAt > now).map(([text]) => text);
    const resolved = audible.filter(([, { endsAt }]) => endsAt <= now).map(([text]) => text);
    const logs = this.logs.get(route) ?? new Map<string, LogEntry>();
    this.logs.set(route, logs);
    const entry = logs.get(key);
    const isNew = (texts: string[], of: ReadonlySet<string>) => texts.some((text) => !of.has(text));
    let needed: boolean;
    if (!entry) needed = firing.length > 0;
    else if (isNew(firing, entry.firing)) needed = true;
    else if (firing.length === 0) needed = entry.firing.size > 0;
    else if (sendResolved && isNew(resolved, entry.resolved)) needed = true;
    else needed = entry.at < now - route.repeatS;
    if (!needed) return;
    logs.set(key, { firing: new Set(firing), resolved: new Set(resolved), at: now });
    if (!sendResolved && firing.length === 0) return;
    this.told.push(line(now, route.receiver, labels, firing, sendResolved ? resolved : []));
  }
}

/** The only values are 1 and 2, and the only regular expression is "1 or 2". */
function matchesEach(matchers: readonly ModelMatcher[], labels: Labels): boolean {
  return matchers.every(({ name, operator, value }) => {
    const label = labels[name] ?? '';
    const is = operator === '=' || operator === '!=' ? label === value : ['1', '2'].includes(label);
    return operator === '=' || operator === '=~' ? is : !is;
  });
}

function match(route: ModelRoute, labels: Labels): ModelRoute[] {
  if (route.matcher && labels[route.matcher[0]] !== route.matcher[1]) return [];
  const found: ModelRoute[] = [];
  for (const child of route.routes) {
    const below = match(child, labels);
    found.push(...below);
    if (below.length > 0 && !child.continue) break;
  }
  return found.length > 0 ? found : [route];
}

export function line(at: number, receiver: string, group: Labels, firing: string[], resolved: string[]): string {
  return `${at}s ${receiver} ${textOf(group)}: ${firing.toSorted().join()} resolved ${resolved.toSorted().join()}`;
}
