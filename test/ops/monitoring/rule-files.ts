/** The rules of monitoring/prometheus and their unit tests, as far as checks want to know them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const PROMETHEUS = fileURLToPath(new URL('../../../monitoring/prometheus/', import.meta.url));

export interface Alert {
  file: string;
  alert: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface Recording {
  file: string;
  record: string;
  expr: string;
}

interface RuleFile {
  groups: { name: string; rules: (Omit<Alert, 'file'> | Omit<Recording, 'file'>)[] }[];
}

/** When a unit test looks, in seconds, and whether the alert fires then. */
export interface Look {
  at: number;
  fires: boolean;
}

interface TestFile {
  tests: {
    name: string;
    alert_rule_test?: { alertname: string; eval_time: string; exp_alerts: { exp_labels?: Record<string, string> }[] }[];
    promql_expr_test?: { expr: string; eval_time: string; exp_samples?: unknown[] }[];
  }[];
}

/** What tells two alerts of one name apart. */
export const keyOf = (name: string, window?: string): string => (window === undefined ? name : `${name} ${window}`);

export function loadRules(): { alerts: Alert[]; recordings: Recording[] } {
  const rules = yamlFiles<RuleFile>(`${PROMETHEUS}rules/`).flatMap(({ file, content }) =>
    content.groups.flatMap((group) => group.rules.map((rule) => ({ file, ...rule }))),
  );
  return {
    alerts: rules.filter((rule): rule is Alert => 'alert' in rule),
    recordings: rules.filter((rule): rule is Recording => 'record' in rule),
  };
}

/** By the key of each alert: for each unit test that asks for it, what it asks, in the order of time. */
export function loadLooks(): Map<string, Look[][]> {
  const looks = new Map<string, Look[][]>();
  for (const { content } of yamlFiles<TestFile>(`${PROMETHEUS}tests/`)) {
    for (const test of content.tests) {
      const ofTest = new Map<string, Look[]>();
      const add = (key: string, eval_time: string, fires: boolean) =>
        ofTest.set(key, [...(ofTest.get(key) ?? []), { at: secondsOf(eval_time), fires }]);
      for (const { alertname, eval_time, exp_alerts } of test.alert_rule_test ?? []) {
        const windows = new Set(exp_alerts.map(({ exp_labels }) => exp_labels?.window));
        if (windows.size === 0) add(alertname, eval_time, false);
        for (const window of windows) add(keyOf(alertname, window), eval_time, true);
      }
      for (const { expr, eval_time, exp_samples } of test.promql_expr_test ?? []) {
        const [, name, window] = /^ALERTS\{alertname="(\w+)",window="(\w+)",alertstate="firing"\}$/.exec(expr) ?? [];
        if (name) add(keyOf(name, window), eval_time, (exp_samples ?? []).length > 0);
      }
      for (const [key, found] of ofTest) {
        looks.set(key, [...(looks.get(key) ?? []), found.sort((a, b) => a.at - b.at)]);
      }
    }
  }
  return looks;
}

export function secondsOf(duration: string): number {
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
  return [...duration.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit!]!,
    0,
  );
}

function yamlFiles<T>(folder: string): { file: string; content: T }[] {
  return readdirSync(folder)
    .sort()
    .map((file) => ({ file, content: parse(readFileSync(folder + file, 'utf8')) as T }));
}
