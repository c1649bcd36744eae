import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EncryptionKeys } from 'eyrie/secrets';
import { AlertsConfigError } from './fault.js';
import type { InhibitRule } from './inhibit.js';
import type { Receiver } from './integration.js';
import { loadContext, type LoadContext } from './load-context.js';
import { compareMatchers, matchersToString } from './matcher.js';
import { buildReceivers } from './receivers.js';
import { buildRoute, type Route, type RouteSpec, unique } from './route.js';
import { alertsConfig, type InhibitRuleConfig, type RouteConfig, type TimeIntervalsConfig } from './schema.js';
import { Secret } from './secret.js';
import type { TimeInterval } from './time-interval.js';
import { type OpenSecret, YamlDocument } from './yaml-document.js';

/** A file in Alertmanager's format, checked, with all defaults and inherited settings filled in. */
export interface AlertsConfig {
  /**
   * SHA-256 of what the configuration means, in hexadecimal: a changed secret file changes it, a comment does not.
   * Do not publish it: it would let a weak secret be guessed.
   */
  readonly hash: string;
  /** As {@link hash}, of what decides which groups an alert belongs to: no secret is in it. */
  readonly groupingHash: string;
  /** The file for showing: without comments, and with `<secret>` for each secret. Alertmanager's tools can read it. */
  readonly original: string;
  readonly route: Route;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly inhibitRules: readonly InhibitRule[];
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>;
  /** When an alert that names no end counts as resolved, after it was last posted. */
  readonly resolveTimeoutMs: number;
}

const RESOLVE_TIMEOUT_MS = 300_000;

/** What secrets of receivers are encrypted for. */
export const RECEIVER_SECRETS = 'receivers';

/**
 * Reads a file in Alertmanager's format, and the files with secrets that it names.
 *
 * @param keys without any, an encrypted value is a fault
 * @throws AlertsConfigError with every fault, each with its line and column.
 */
export async function loadAlertsConfig(path: string, keys?: EncryptionKeys): Promise<AlertsConfig> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new AlertsConfigError([{ line: 1, column: 1, path: '', message: `cannot be read: ${error.message}` }], path);
  });
  return parseAlertsConfig(text, { baseDirectory: dirname(path), file: path, ...(keys && { keys }) });
}

/**
 * @param options.baseDirectory what relative file names in the text are relative to
 * @param options.file how faults name the text
 * @throws AlertsConfigError with every fault, each with its line and column.
 */
export function parseAlertsConfig(
  text: string,
  { baseDirectory, file, keys }: { baseDirectory: string; file?: string; keys?: EncryptionKeys },
): AlertsConfig {
  const open: OpenSecret | undefined = keys && ((encrypted) => keys.decrypt(encrypted, RECEIVER_SECRETS));
  try {
    return read(new YamlDocument(text, open), baseDirectory);
  } catch (error) {
    throw error instanceof AlertsConfigError ? new AlertsConfigError(error.faults, file) : error;
  }
}

/**
 * A configuration with other secrets and otherwise unchanged: comments, order and spaces stay as they are.
 *
 * @param change answers what stands in place of a secret
 * @throws AlertsConfigError for a text in which not every secret can be found, and for what `change` throws
 */
export function changeSecrets(text: string, change: (value: string) => string): string {
  const document = new YamlDocument(text, (encrypted) => encrypted);
  alertsConfig(document.root);
  return document.withSecrets(change);
}

function read(document: YamlDocument, baseDirectory: string): AlertsConfig {
  const { root } = document;
  const context = loadContext(baseDirectory, document.open, (message, place) => root.fault(message, place));
  const config = alertsConfig(root);
  const global = config?.global;
  const receivers = buildReceivers(context, config?.receivers ?? [], global);
  const timeIntervals = buildTimeIntervals(context, [
    ...(config?.mute_time_intervals ?? []),
    ...(config?.time_intervals ?? []),
  ]);
  if (config?.route) {
    checkRoot(context, config.route);
    checkRoute(context, config.route, receivers, timeIntervals);
  } else if (!config?.has('route')) root.fault('no route provided in config');

  if (!config?.route || document.faults.length > 0) throw new AlertsConfigError(document.faults);
  const effective = {
    route: buildRoute(routeSpec(config.route)),
    receivers,
    inhibitRules: buildInhibitRules(config.inhibit_rules ?? []),
    timeIntervals,
    resolveTimeoutMs: global?.resolve_timeout ?? RESOLVE_TIMEOUT_MS,
  };
  const { route, inhibitRules } = effective;
  return {
    hash: hashOf(effective),
    groupingHash: hashOf({ route, inhibitRules }),
    original: document.withoutSecrets(),
    ...effective,
  };
}

function checkRoot(context: LoadContext, route: RouteConfig): void {
  if (!route.receiver) context.fault('root route must specify a default receiver', route.at('receiver'));
  for (const field of ['match', 'match_re', 'matchers'] as const) {
    if (route[field]?.length) context.fault('root route must not have any matchers', route.at(field));
  }
  for (const field of ['mute_time_intervals', 'active_time_intervals'] as const) {
    const what = field.split('_', 1)[0];
    if (route[field]?.length) context.fault(`root route must not have any ${what} time intervals`, route.at(field));
  }
  if (route.continue) context.fault('cannot have continue in root route', route.at('continue'));
}

function checkRoute(
  context: LoadContext,
  route: RouteConfig,
  receivers: ReadonlyMap<string, Receiver>,
  timeIntervals: ReadonlyMap<string, unknown>,
): void {
  if (route.receiver && !receivers.has(route.receiver)) {
    context.fault(`undefined receiver "${route.receiver}" used in route`, route.at('receiver'));
  }
  for (const { value, place } of [...(route.mute_time_intervals ?? []), ...(route.active_time_intervals ?? [])]) {
    if (!timeIntervals.has(value)) context.fault(`undefined time interval "${value}" used in route`, place);
  }
  const labels = (route.group_by ?? []).filter((label) => label !== '...');
  if (labels.length > 0 && route.group_by?.includes('...')) {
    const message = 'cannot have wildcard group_by (`...`) and other labels at the same time';
    context.fault(message, route.at('group_by'));
  }
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) context.fault(`duplicated label "${twice}" in group_by`, route.at('group_by'));
  for (const child of route.routes ?? []) checkRoute(context, child, receivers, timeIntervals);
}

/** An empty `group_by` says nothing, as in Alertmanager: the parent's stands. */
function routeSpec(route: RouteConfig): RouteSpec {
  const groupBy = route.group_by?.filter((label) => label !== '...');
  return {
    ...(route.receiver && { receiver: route.receiver }),
    ...(groupBy?.length && { groupBy }),
    ...(route.group_by?.includes('...') && { groupByAll: true }),
    ...(route.group_wait !== undefined && { groupWaitMs: route.group_wait }),
    ...(route.group_interval !== undefined && { groupIntervalMs: route.group_interval }),
    ...(route.repeat_interval !== undefined && { repeatIntervalMs: route.repeat_interval }),
    matchers: [...(route.match ?? []), ...(route.match_re ?? []), ...(route.matchers ?? [])].sort(compareMatchers),
    muteTimeIntervals: (route.mute_time_intervals ?? []).map(({ value }) => value),
    activeTimeIntervals: (route.active_time_intervals ?? []).map(({ value }) => value),
    continue: route.continue ?? false,
    routes: (route.routes ?? []).map(routeSpec),
  };
}

function buildInhibitRules(configs: readonly InhibitRuleConfig[]): InhibitRule[] {
  const keys = new Set<string>();
  return configs.map((config) => {
    const { source_match = [], source_match_re = [], source_matchers = [], equal = [] } = config;
    const { target_match = [], target_match_re = [], target_matchers = [] } = config;
    const sourceMatchers = [...source_match, ...source_match_re, ...source_matchers].sort(compareMatchers);
    const targetMatchers = [...target_match, ...target_match_re, ...target_matchers].sort(compareMatchers);
    const meaning = `${matchersToString(sourceMatchers)} inhibits ${matchersToString(targetMatchers)}`;
    const key = unique(config.name || `${meaning} with equal ${JSON.stringify(equal)}`, keys);
    return { key, sourceMatchers, targetMatchers, equal };
  });
}

function buildTimeIntervals(context: LoadContext, configs: TimeIntervalsConfig): Map<string, TimeInterval[]> {
  const named = new Map<string, TimeInterval[]>();
  for (const config of configs) {
    const { name } = config;
    if (!name) context.fault('missing name in time interval', config.at('name'));
    else if (named.has(name)) context.fault(`time interval "${name}" is not unique`, config.at('name'));
    const intervals = (config.time_intervals ?? []).map(
      ({ times, weekdays, days_of_month: daysOfMonth, months, years, location }) => ({
        times,
        weekdays,
        daysOfMonth,
        months,
        years,
        location,
      }),
    );
    named.set(name ?? '', intervals);
  }
  return named;
}

/** Everything that has an effect, secrets too, in an order that only depends on the configuration. */
function hashOf(effective: object): string {
  const canonical = JSON.stringify(effective, function (this: Record<string, unknown>, key, value: unknown) {
    const raw = this[key];
    if (raw instanceof Secret) return raw.reveal();
    return raw instanceof Map ? [...raw] : value;
  });
  return createHash('sha256').update(canonical).digest('hex');
}
