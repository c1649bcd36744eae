import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inhibits, type InhibitRule } from './inhibit.js';
import type { Labels } from './labels.js';
import { type Matcher, matchesAll } from './matcher.js';
import { parseMatchers } from './matcher-parser.js';
import {
  buildRoute,
  groupKey,
  groupLabels,
  isRouteMuted,
  matchRoutes,
  type Route,
  type RouteSpec,
  walkRoutes,
} from './route.js';
import type { TimeInterval } from './time-interval.js';

const spec = (matchers: string, more: Partial<RouteSpec> = {}): RouteSpec => ({
  matchers: parseMatchers(matchers),
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  continue: false,
  routes: [],
  ...more,
});

const matcher: fc.Arbitrary<Matcher> = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('=', '!=', '=~', '!~'), fc.constantFrom('', '1', '2', '1|2'))
  .map(([name, operator, value]) => parseMatchers(`${name}${operator}"${value}"`)[0]!);
const { tree } = fc.letrec<{ tree: RouteSpec }>((tie) => ({
  tree: fc.record({
    matchers: fc.array(matcher, { maxLength: 2 }),
    continue: fc.boolean(),
    routes: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('tree'), { maxLength: 3 })),
    groupBy: fc.option(fc.uniqueArray(fc.constantFrom('a', 'b')), { nil: undefined }),
    muteTimeIntervals: fc.constant([]),
    activeTimeIntervals: fc.constant([]),
  }),
}));
const labels: fc.Arbitrary<Labels> = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('', '1', '2', '3'));

/** The documentation's sentences as set operations, with nothing shared with the real thing but the matchers. */
function model(route: Route, alert: Labels): Route[] {
  if (!matchesAll(route.matchers, alert)) return [];
  const matching = route.routes.filter((child) => model(child, alert).length > 0);
  const last = matching.findIndex((child) => !child.continue);
  const taken = last < 0 ? matching : matching.slice(0, last + 1);
  return taken.length === 0 ? [route] : taken.flatMap((child) => model(child, alert));
}

describe('the routing tree', () => {
  it('H4: an alert takes the routes that the documentation says, in any tree', () => {
    fc.assert(
      fc.property(tree, labels, (given, alert) => {
        const root = buildRoute({ ...given, matchers: [] });
        expect(matchRoutes(root, alert).map(({ id }) => id)).toEqual(model(root, alert).map(({ id }) => id));
      }),
      { numRuns: 1000 },
    );
  });

  it('H4: every route has an id of its own, and a key that is shared by equals', () => {
    fc.assert(
      fc.property(tree, (given) => {
        const routes = [...walkRoutes(buildRoute(given))];
        expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
      }),
    );
    const root = buildRoute(spec('', { routes: [spec('a=1', { continue: true }), spec('a=1')] }));
    expect(root.routes.map(({ key }) => key)).toEqual(['{}/{a="1"}', '{}/{a="1"}']);
    expect(root.routes.map(({ id }) => id)).toEqual(['{}/{a="1"} by []', '{}/{a="1"} by [] #2']);
  });

  it('H4: the id changes with the grouping and with nothing else, not even its order', () => {
    const id = (more: Partial<RouteSpec>) => buildRoute(spec('', { routes: [spec('a=1', more)] })).routes[0]!.id;
    expect(id({ groupBy: ['x', 'y'], receiver: 'r', groupWaitMs: 1 })).toBe(id({ groupBy: ['y', 'x'] }));
    const different = [{}, { groupBy: ['x'] }, { groupBy: ['x', 'y'] }, { groupBy: ['x,y'] }, { groupByAll: true }];
    expect(new Set(different.map(id)).size).toBe(different.length);
  });

  it('H4: children inherit what they do not say, but for matchers and times', () => {
    const root = buildRoute(
      spec('', {
        ...{ receiver: 'top', groupBy: ['a'], groupWaitMs: 1, groupIntervalMs: 2, repeatIntervalMs: 3 },
        routes: [
          spec('x=1', { muteTimeIntervals: ['nights'], groupWaitMs: 0, routes: [spec('')] }),
          spec('x=2', { receiver: 'all', groupByAll: true, routes: [spec(''), spec('', { groupBy: ['b'] })] }),
        ],
      }),
    );
    const [first, second] = root.routes as [Route, Route];
    expect(first).toMatchObject({
      receiver: 'top',
      groupBy: ['a'],
      groupWaitMs: 0,
      groupIntervalMs: 2,
      repeatIntervalMs: 3,
    });
    expect(first.routes[0]).toMatchObject({ groupWaitMs: 0, muteTimeIntervals: [], matchers: [] });
    expect(second).toMatchObject({ receiver: 'all', groupByAll: true });
    expect(second.routes.map(({ groupByAll }) => groupByAll)).toEqual([true, false]);
    expect(second.routes[1]!.groupBy).toEqual(['b']);
  });

  it("H4: the defaults are Alertmanager's, but repeat_interval is the cooldown of 15 minutes", () => {
    const { groupBy, groupByAll, groupWaitMs, groupIntervalMs, repeatIntervalMs } = buildRoute(spec(''));
    expect({ groupBy, groupByAll, groupWaitMs, groupIntervalMs, repeatIntervalMs }).toEqual({
      ...{ groupBy: [], groupByAll: false, groupWaitMs: 30_000, groupIntervalMs: 300_000, repeatIntervalMs: 900_000 },
    });
  });

  it('H4: a group is named by those labels of group_by that the alert has', () => {
    const alert = { alertname: 'Down', job: 'api', empty: '' };
    const root = buildRoute(
      spec('', { groupBy: ['job', 'team', 'constructor', 'empty'], routes: [spec('job=api', { groupByAll: true })] }),
    );
    expect(groupLabels(root, alert)).toEqual({ job: 'api', empty: '' });
    expect(groupLabels(root.routes[0]!, alert)).toEqual(alert);
    expect(groupKey(root.routes[0]!, { b: '2', a: '"1"' })).toBe('{}/{job="api"}:{a="\\"1\\"", b="2"}');
  });

  it('H4: a route is silent in its mute times and outside its active times', () => {
    const intervals = new Map<string, TimeInterval[]>([
      ['always', [{}]],
      ['never', []],
    ]);
    const muted = (muteTimeIntervals: string[], activeTimeIntervals: string[]) =>
      isRouteMuted({ muteTimeIntervals, activeTimeIntervals }, intervals, new Date(0));
    expect(muted([], [])).toBe(false);
    expect(muted(['never', 'always'], [])).toBe(true);
    expect(muted([], ['never'])).toBe(true);
    expect(muted([], ['never', 'always'])).toBe(false);
    expect(muted(['always'], ['always'])).toBe(true);
  });
});

describe('inhibition', () => {
  const rule: InhibitRule = {
    key: 'critical over warning',
    sourceMatchers: parseMatchers('severity="critical"'),
    targetMatchers: parseMatchers('severity=~"warning|critical"'),
    equal: ['alertname', 'cluster'],
  };
  const critical = { alertname: 'Slow', severity: 'critical', cluster: 'a' };
  it.each([
    ['a source inhibits a target with equal labels', critical, { ...critical, severity: 'warning' }, true],
    ['another cluster', critical, { ...critical, severity: 'warning', cluster: 'b' }, false],
    ['a label missing on one side is empty', critical, { alertname: 'Slow', severity: 'warning' }, false],
    ['missing on both sides is equal', { severity: 'critical' }, { severity: 'warning', cluster: '' }, true],
    ['an alert never inhibits itself', critical, critical, false],
    ['nor another that matches both sides as it does', critical, { ...critical, instance: '2' }, false],
    ['the source has to match', { ...critical, severity: 'info' }, { ...critical, severity: 'warning' }, false],
    ['the target has to match', critical, { ...critical, severity: 'info' }, false],
  ])('H4: %s', (_, source, target, expected) => {
    expect(inhibits(rule, source, target)).toBe(expected);
  });
});
