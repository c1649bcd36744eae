import { hash } from 'node:crypto';
import {
  groupKey,
  groupLabels,
  labelsToString,
  labelValue,
  matchesAll,
  matchRoutes,
  walkRoutes,
  type AlertsConfig,
  type InhibitRule,
  type Labels,
  type Route,
} from '../config/index.js';

/** A group that an alert belongs to. The id follows from route and labels, so that every process finds the same. */
export interface GroupRef {
  readonly id: string;
  /** Alertmanager's group key: `{}/{team="x"}:{alertname="y"}`. */
  readonly key: string;
  readonly route: Route;
  readonly labels: Labels;
}

/** An inhibit rule that an alert is a source of, with the values of its `equal` labels. */
export interface InhibitorRef {
  readonly key: string;
  /** It matches the target side too, and so does not inhibit others that match both sides. */
  readonly twoSided: boolean;
}

/** 128 bits of SHA-256 as a UUID. */
function idOf(...parts: string[]): string {
  const hex = hash('sha256', JSON.stringify(parts));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

const MAX_REMEMBERED_GROUPS = 10_000;

/** Where alerts go under one configuration. */
export class Routing {
  private readonly groups = new Map<string, GroupRef>();

  private readonly routes = new Map<string, Route>();

  constructor(private readonly config: AlertsConfig) {
    for (const route of walkRoutes(config.route)) this.routes.set(route.id, route);
  }

  /** The route with this id, if the configuration still has it. */
  route(id: string): Route | undefined {
    return this.routes.get(id);
  }

  /** Ids and group intervals, in seconds, of all routes: columns for SQL. */
  get intervalColumns(): [ids: string[], seconds: number[]] {
    const routes = [...this.routes.values()];
    return [routes.map(({ id }) => id), routes.map(({ groupIntervalMs }) => groupIntervalMs / 1000)];
  }

  groupsOf(labels: Labels): GroupRef[] {
    return matchRoutes(this.config.route, labels).map((route) => this.group(route, groupLabels(route, labels)));
  }

  inhibitorsOf(labels: Labels): InhibitorRef[] {
    return this.config.inhibitRules
      .filter((rule) => matchesAll(rule.sourceMatchers, labels))
      .map((rule) => ({ key: inhibitorKey(rule, labels), twoSided: matchesAll(rule.targetMatchers, labels) }));
  }

  /** The keys under which an inhibitor of this alert would stand; `twoSided` as for the alert itself. */
  inhibitableBy(labels: Labels): InhibitorRef[] {
    return this.config.inhibitRules
      .filter((rule) => matchesAll(rule.targetMatchers, labels))
      .map((rule) => ({ key: inhibitorKey(rule, labels), twoSided: matchesAll(rule.sourceMatchers, labels) }));
  }

  private group(route: Route, labels: Labels): GroupRef {
    const printed = labelsToString(labels);
    const name = `${route.id}\n${printed}`;
    const known = this.groups.get(name);
    if (known) return known;
    if (this.groups.size >= MAX_REMEMBERED_GROUPS) this.groups.clear();
    const group = { id: idOf('group', route.id, printed), key: groupKey(route, labels), route, labels };
    this.groups.set(name, group);
    return group;
  }
}

function inhibitorKey(rule: InhibitRule, labels: Labels): string {
  return idOf('inhibitor', rule.key, ...rule.equal.map((name) => labelValue(labels, name)));
}
