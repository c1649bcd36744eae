import { compareBytes, labelsToString, type Labels } from './labels.js';
import { type Matcher, matchesAll, matchersToString } from './matcher.js';
import { isMuted, type TimeInterval } from './time-interval.js';

/** A node of the routing tree with everything it inherits already filled in. */
export interface Route {
  /** Alertmanager's `Route.Key()`: the matchers from the root down, `{}/{team="x"}`. Not unique. */
  readonly key: string;
  /** Unique within the tree; changes when the key or the grouping does, so that groups formed otherwise are not mixed. */
  readonly id: string;
  readonly receiver: string;
  /** Sorted. */
  readonly matchers: readonly Matcher[];
  readonly groupBy: readonly string[];
  /** `group_by: ['...']`: every alert is its own group. */
  readonly groupByAll: boolean;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly continue: boolean;
  readonly routes: readonly Route[];
}

/** What a route's own block says; everything absent comes from its parent. */
export interface RouteSpec {
  readonly receiver?: string;
  readonly matchers: readonly Matcher[];
  readonly groupBy?: readonly string[];
  readonly groupByAll?: boolean;
  readonly groupWaitMs?: number;
  readonly groupIntervalMs?: number;
  readonly repeatIntervalMs?: number;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly continue: boolean;
  readonly routes: readonly RouteSpec[];
}

type Inherited = Pick<
  Route,
  'receiver' | 'groupBy' | 'groupByAll' | 'groupWaitMs' | 'groupIntervalMs' | 'repeatIntervalMs'
>;

/** Alertmanager's, but for `repeat_interval` (4h there): the hub's cooldown of 15 minutes. */
export const ROUTE_DEFAULTS: Inherited = {
  receiver: '',
  groupBy: [],
  groupByAll: false,
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 900_000,
};

/** Builds the tree from the root's own block: inheritance, keys and ids. */
export function buildRoute(root: RouteSpec): Route {
  const ids = new Set<string>();
  const build = (spec: RouteSpec, parent: Inherited, parentKey?: string): Route => {
    const inherited: Inherited = {
      receiver: spec.receiver ?? parent.receiver,
      groupBy: spec.groupBy ?? parent.groupBy,
      groupByAll: spec.groupBy ? false : (spec.groupByAll ?? parent.groupByAll),
      groupWaitMs: spec.groupWaitMs ?? parent.groupWaitMs,
      groupIntervalMs: spec.groupIntervalMs ?? parent.groupIntervalMs,
      repeatIntervalMs: spec.repeatIntervalMs ?? parent.repeatIntervalMs,
    };
    const own = matchersToString(spec.matchers);
    const key = parentKey === undefined ? own : `${parentKey}/${own}`;
    const id = unique(`${key} by ${grouping(inherited)}`, ids);
    return {
      ...{ key, id, ...inherited },
      matchers: spec.matchers,
      muteTimeIntervals: spec.muteTimeIntervals,
      activeTimeIntervals: spec.activeTimeIntervals,
      continue: spec.continue,
      routes: spec.routes.map((child) => build(child, inherited, key)),
    };
  };
  return build(root, ROUTE_DEFAULTS);
}

/**
 * The routes that an alert takes, as Alertmanager's `Route.Match`: depth first, the deepest match of a branch, and on
 * to the next sibling only past a route that says `continue`. Empty only where the root itself does not match.
 */
export function matchRoutes(root: Route, labels: Labels): Route[] {
  const found: Route[] = [];
  collect(root, labels, found);
  return found;
}

/** The labels that name an alert's group on this route: those of `group_by` that the alert has. */
export function groupLabels(route: Route, labels: Labels): Labels {
  if (route.groupByAll) return labels;
  const pairs: [string, string][] = [];
  for (const name of route.groupBy) {
    const value: unknown = labels[name];
    if (typeof value === 'string') pairs.push([name, value]);
  }
  return Object.fromEntries(pairs);
}

/** Alertmanager's group key, `{}/{team="x"}:{alertname="Down"}`: what receivers know a group by. */
export function groupKey(route: Route, group: Labels): string {
  return `${route.key}:${labelsToString(group)}`;
}

/** Whether the route sends nothing at this time: in one of its mute times, or outside all of its active times. */
export function isRouteMuted(
  route: Pick<Route, 'muteTimeIntervals' | 'activeTimeIntervals'>,
  intervals: ReadonlyMap<string, readonly TimeInterval[]>,
  at: Date,
): boolean {
  if (isMuted(route.muteTimeIntervals, intervals, at)) return true;
  return route.activeTimeIntervals.length > 0 && !isMuted(route.activeTimeIntervals, intervals, at);
}

/** Every node, parents before children. */
export function* walkRoutes(route: Route): Generator<Route> {
  yield route;
  for (const child of route.routes) yield* walkRoutes(child);
}

function collect(route: Route, labels: Labels, found: Route[]): boolean {
  if (!matchesAll(route.matchers, labels)) return false;
  const before = found.length;
  for (let index = 0; index < route.routes.length; index++) {
    const child = route.routes[index]!;
    if (collect(child, labels, found) && !child.continue) break;
  }
  if (found.length === before) found.push(route);
  return true;
}

function grouping({ groupBy, groupByAll }: Inherited): string {
  return groupByAll ? '[...]' : JSON.stringify([...groupBy].sort(compareBytes));
}

/** The name, or with ` #2`, ` #3` … where it is taken: siblings may have the same matchers (with `continue`). */
export function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let count = 2; taken.has(candidate); count++) candidate = `${name} #${count}`;
  taken.add(candidate);
  return candidate;
}
