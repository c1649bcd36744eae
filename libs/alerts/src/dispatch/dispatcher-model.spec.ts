import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { type Labels } from '../config/index.js';
import { type NotificationPayload } from '../notify/index.js';

/** A route as the configuration file has it, with every value said. */
interface ModelRoute {
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

type LogEntry = { firing: Set<string>; resolved: Set<string>; at: number };

const SEND_RESOLVED: Readonly<Record<string, boolean>> = { talkative: true, terse: false };
const textOf = (labels: Labels) => JSON.stringify(Object.entries(labels).sort());

/** Alertmanager's dispatcher and notification pipeline, as simple as can be: one thread, maps, times in seconds. */
class Model {
  readonly told: string[] = [];
  private readonly groups = new Map<ModelRoute, Map<string, ModelGroup>>();
  private readonly logs = new Map<ModelRoute, Map<string, LogEntry>>();

  constructor(private readonly root: ModelRoute) {}

  post(labels: Labels, startsAt: number, endsAt: number, now: number): void {
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
    const firing = [...alerts].filter(([, { endsAt }]) => endsAt > now).map(([text]) => text);
    const resolved = [...alerts].filter(([, { endsAt }]) => endsAt <= now).map(([text]) => text);
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

function line(at: number, receiver: string, group: Labels, firing: string[], resolved: string[]): string {
  return `${at}s ${receiver} ${textOf(group)}: ${firing.toSorted().join()} resolved ${resolved.toSorted().join()}`;
}

function toConfig(route: ModelRoute): object {
  return {
    receiver: route.receiver,
    ...(route.matcher && { matchers: [`${route.matcher[0]}="${route.matcher[1]}"`] }),
    group_by: route.groupBy,
    group_wait: `${route.waitS}s`,
    group_interval: `${route.intervalS}s`,
    repeat_interval: `${route.repeatS}s`,
    ...(route.matcher && { continue: route.continue }),
    routes: route.routes.map(toConfig),
  };
}

const receivers = Object.entries(SEND_RESOLVED).map(([name, send_resolved]) => ({
  name,
  webhook_configs: [{ url: 'http://127.0.0.1:9/', send_resolved }],
}));

const NAMES = ['a', 'b', 'c'];
const routeOf = (routes: fc.Arbitrary<ModelRoute[]>): fc.Arbitrary<ModelRoute> =>
  fc.record({
    receiver: fc.constantFrom(...Object.keys(SEND_RESOLVED)),
    matcher: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('1', '2')),
    groupBy: fc.subarray(NAMES, { minLength: 1 }), // an empty list would be inherited
    waitS: fc.constantFrom(0, 10, 30),
    intervalS: fc.constantFrom(20, 60),
    repeatS: fc.constantFrom(60, 300),
    continue: fc.boolean(),
    routes,
  });
// Siblings with the same matchers would share one log in Alertmanager.
const siblings = (route: fc.Arbitrary<ModelRoute>) =>
  fc.uniqueArray(route, { maxLength: 3, selector: ({ matcher }) => matcher!.join('=') });
const tree = routeOf(siblings(routeOf(siblings(routeOf(fc.constant([])))))).map((root): ModelRoute => {
  return { ...root, matcher: undefined };
});

const labelSet = fc
  .tuple(...NAMES.map(() => fc.constantFrom('1', '2', undefined)))
  .map((values) => Object.fromEntries([...NAMES.entries()].map(([index, name]) => [name, values[index]])))
  .map((labels) => JSON.parse(JSON.stringify({ ...labels, alertname: 'X' })) as Labels);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ fire: fc.nat(5), agoS: fc.constantFrom(0, 0, 21, 61) }) },
  { weight: 2, arbitrary: fc.record({ resolve: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ passS: fc.constantFrom(5, 10, 30, 60) }) },
);

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config: JSON.stringify({ route: { receiver: 'terse' }, receivers }) });
});
afterAll(() => hub.close());

const now = () => (hub.clock.now() - START) / 1000;

async function told(): Promise<string[]> {
  const rows = await hub.query<{ at: number; payload: NotificationPayload }>(
    `SELECT extract(epoch FROM created_at)::float8 AS at, payload FROM notifications`,
  );
  return rows.map(({ at, payload }) => {
    const texts = (status: string) =>
      payload.alerts.filter((alert) => alert.status === status).map(({ labels }) => textOf(labels));
    return line(at - START / 1000, payload.receiver, payload.groupLabels, texts('firing'), texts('resolved'));
  });
}

describe('H4: the hub and a model of Alertmanager', () => {
  it('tell the same receivers of the same alerts at the same times', async () => {
    let notifications = 0;
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.array(labelSet, { minLength: 6, maxLength: 6 }),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (root, alerts, steps) => {
          await hub.clear();
          await hub.reload(JSON.stringify({ route: toConfig(root), receivers }));
          const model = new Model(root);
          const firing = new Map<string, number>();
          const ended = new Map<string, number>();
          for (const one of steps) {
            if ('passS' in one) {
              hub.clock.advance(one.passS * 1000);
            } else {
              const labels = alerts['fire' in one ? one.fire : one.resolve]!;
              const since = firing.get(textOf(labels));
              if ('resolve' in one && since === undefined) continue;
              // A start before the last end would go on with the episode that ended.
              const earliest = (ended.get(textOf(labels)) ?? -Infinity) + 1;
              const startsAt = since ?? Math.max(now() - ('agoS' in one ? one.agoS : 0), earliest);
              const endsAt = 'fire' in one ? now() + 100_000 : now();
              if ('fire' in one) firing.set(textOf(labels), startsAt);
              else firing.delete(textOf(labels));
              if ('resolve' in one) ended.set(textOf(labels), endsAt);
              await hub.post({ labels, startsAt: START + startsAt * 1000, endsAt: START + endsAt * 1000 });
              model.post(labels, startsAt, endsAt, now());
            }
            await hub.flush();
            model.flush(now());
            if ('resolve' in one) hub.clock.advance(1_000);
          }
          expect((await told()).toSorted()).toEqual(model.told.toSorted());
          notifications += model.told.length;
        },
      ),
      { numRuns: 60 },
    );
    expect(notifications).toBeGreaterThan(60);
  }, 60_000);
});
