import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from 'eyrie/database';
import fc from 'fast-check';
import {
  line,
  Model,
  SEND_RESOLVED,
  textOf,
  type ModelMatcher,
  type ModelRoute,
  type ModelRule,
} from '../../../../test/harness/alertmanager-model.js';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { type Labels, type MatchOperator } from '../config/index.js';
import { type NotificationPayload } from '../notify/index.js';
import { SilenceIndex, SilencesService, type Silence } from '../silences/index.js';

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

const toText = ({ name, operator, value }: ModelMatcher) => `${name}${operator}"${value}"`;
const toRule = ({ source, target, equal }: ModelRule) => ({
  source_matchers: source.map(toText),
  target_matchers: target.map(toText),
  equal,
});

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
const matcher = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<MatchOperator>('=', '!=').chain((operator) =>
      fc.record({
        name: fc.constantFrom(...NAMES),
        operator: fc.constant(operator),
        value: fc.constantFrom('1', '2'),
      }),
    ),
  },
  fc.record({
    name: fc.constantFrom(...NAMES),
    operator: fc.constantFrom<MatchOperator>('=~', '!~'),
    value: fc.constant('1|2'),
  }),
);
const matchers = fc.array(matcher, { minLength: 1, maxLength: 2 });
const rule = fc.record({ source: matchers, target: matchers, equal: fc.subarray(NAMES, { maxLength: 1 }) });
const times = { inS: fc.constantFrom(-10, 0, 30), forS: fc.constantFrom(10, 60, 200) };
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ silence: matchers, ...times }) },
  {
    weight: 2,
    arbitrary: fc.record({
      change: fc.nat(1),
      matchers: fc.option(matchers, { freq: 1 }),
      ...times,
      keepStart: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ expire: fc.nat(3) }) },
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

async function clear(): Promise<void> {
  await hub.clear();
  await hub.query(`TRUNCATE silences, silence_events`);
  await hub.query(`UPDATE silences_revision SET revision = 0`);
  await hub.get(SilenceIndex).catchUp(hub.get(Database), hub.clock.now());
}

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

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Does the same to the hub and to the model. */
class Run {
  private readonly firing = new Map<string, number>();
  private readonly ended = new Map<string, number>();
  /** The silences of the hub, and their numbers in the model. */
  private readonly silences: { number: number; silence: Silence }[] = [];

  constructor(
    private readonly model: Model,
    private readonly alerts: readonly Labels[],
  ) {}

  async take(one: Step): Promise<void> {
    if ('passS' in one) hub.clock.advance(one.passS * 1000);
    else if ('silence' in one) await this.silence(one.silence, now() + one.inS, one.forS);
    else if ('change' in one) {
      const known = this.silences[one.change];
      if (!known) return;
      const start = one.keepStart ? (known.silence.startsAt - START) / 1000 : now() + one.inS;
      await this.silence(one.matchers ?? plain(known.silence), start, one.forS, one.change);
    } else if ('expire' in one) {
      const known = this.silences[one.expire];
      if (!known) return;
      this.model.expire(known.number, now());
      known.silence = await hub.get(SilencesService).expire(known.silence.id, { name: 'test' });
    } else await this.post(one);
  }

  private async silence(matchers: ModelMatcher[], startsAt: number, forS: number, change?: number): Promise<void> {
    const endsAt = Math.max(startsAt, now()) + forS;
    const known = change === undefined ? undefined : this.silences[change];
    const number = this.model.silence({ matchers, startsAt, endsAt }, known?.number, now());
    const silence = await hub.get(SilencesService).set(
      {
        ...{ id: known?.silence.id, matchers, createdBy: 'ann', comment: '' },
        ...{ startsAt: START + startsAt * 1000, endsAt: START + endsAt * 1000 },
      },
      { name: 'test' },
    );
    expect(known?.silence.id === silence.id).toBe(known?.number === number);
    if (known) Object.assign(known, { number, silence });
    else this.silences.push({ number, silence });
  }

  private async post(one: { fire: number; agoS: number } | { resolve: number }): Promise<void> {
    const labels = this.alerts['fire' in one ? one.fire : one.resolve]!;
    const since = this.firing.get(textOf(labels));
    if ('resolve' in one && since === undefined) return;
    // A start before the last end would go on with the episode that ended.
    const earliest = (this.ended.get(textOf(labels)) ?? -Infinity) + 1;
    const startsAt = since ?? Math.max(now() - ('agoS' in one ? one.agoS : 0), earliest);
    const endsAt = 'fire' in one ? now() + 100_000 : now();
    if ('fire' in one) this.firing.set(textOf(labels), startsAt);
    else this.firing.delete(textOf(labels));
    if ('resolve' in one) this.ended.set(textOf(labels), endsAt);
    await hub.post({ labels, startsAt: START + startsAt * 1000, endsAt: START + endsAt * 1000 });
    this.model.post(labels, startsAt, endsAt, now());
  }
}

const plain = ({ matchers }: Silence): ModelMatcher[] =>
  matchers.map(({ name, operator, value }) => ({ name, operator, value }));

describe('H4: the hub and a model of Alertmanager', () => {
  it('H5: tell the same receivers of the same alerts at the same times', async () => {
    let notifications = 0;
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.array(rule, { maxLength: 2 }),
        fc.array(labelSet, { minLength: 6, maxLength: 6 }),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (root, rules, alerts, steps) => {
          await clear();
          const inhibit_rules = rules.map(toRule);
          await hub.reload(JSON.stringify({ route: toConfig(root), inhibit_rules, receivers }));
          const model = new Model(root, rules);
          const run = new Run(model, alerts);
          for (const one of steps) {
            await run.take(one);
            await hub.flush();
            model.flush(now());
            if ('resolve' in one) hub.clock.advance(1_000);
          }
          expect((await told()).toSorted()).toEqual(model.told.toSorted());
          notifications += model.told.length;
        },
      ),
      { numRuns: 100 },
    );
    expect(notifications).toBeGreaterThan(60);
  }, 60_000);
});
