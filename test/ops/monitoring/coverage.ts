/** What each alert owes to those who are woken by it: a text, a page of the runbook, and a unit test that can fail. */
import { type Alert, keyOf, type Look, secondsOf } from './rule-files.ts';

const SEVERITIES = ['critical', 'warning'];
/** Fires always, and is to be missed when it does not. */
export const ALWAYS = 'Watchdog';
const RUNBOOK = 'https://github.com/example/eyrie/blob/main/docs/runbook.md#';

/** The alerts that have a heading in the runbook. */
export function headingsOf(runbook: string): string[] {
  return [...runbook.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!);
}

export function faultsOfAlert(alert: Alert): string[] {
  const { alert: name, labels = {}, annotations = {} } = alert;
  const severities = name === ALWAYS ? ['none'] : SEVERITIES;
  return [
    ...(alert.for === undefined ? ['has no "for"'] : []),
    ...(severities.includes(labels.severity ?? '') ? [] : [`has the severity ${labels.severity}`]),
    ...['summary', 'description'].filter((key) => !annotations[key]).map((key) => `has no ${key}`),
    ...(annotations.runbook_url === RUNBOOK + name.toLowerCase() ? [] : [`links to ${annotations.runbook_url}`]),
    ...(Object.keys(labels).every((label) => ['severity', 'witness', 'window'].includes(label))
      ? []
      : ['has labels of its own']),
  ].map((fault) => `${name} ${fault}`);
}

/** Alerts without a heading, and headings without an alert. */
export function faultsOfRunbook(alerts: readonly Alert[], headings: readonly string[]): string[] {
  const names = new Set(alerts.map(({ alert }) => alert));
  return [
    ...[...names].filter((name) => !headings.includes(name)).map((name) => `${name} has no heading`),
    ...headings.filter((name) => !names.has(name)).map((name) => `nothing raises ${name}`),
    ...headings.filter((name, index) => headings.indexOf(name) !== index).map((name) => `${name} has two headings`),
  ];
}

/**
 * An alert is tested when one test sees it silent, firing and silent again, and another never sees it fire, at a time by
 * which it would have: just below its limit.
 */
export function faultsOfTests(alert: Alert, looks: ReadonlyMap<string, readonly (readonly Look[])[]>): string[] {
  const key = keyOf(alert.alert, alert.labels?.window);
  const tests = looks.get(key) ?? [];
  if (alert.alert === ALWAYS) return tests.flat().some(({ fires }) => fires) ? [] : [`${key} is not tested`];
  const turns = tests.some((test) => {
    const first = test.findIndex(({ fires }) => fires);
    const last = test.findLastIndex(({ fires }) => fires);
    return first > 0 && last < test.length - 1;
  });
  // Looks by the alert's name alone are about each of its windows.
  const silences = [...tests, ...(key === alert.alert ? [] : (looks.get(alert.alert) ?? []))];
  const patient = secondsOf(alert.for ?? '0s');
  const silent = silences.some((test) => test.every(({ fires }) => !fires) && test.some(({ at }) => at > patient));
  return [
    ...(turns ? [] : [`${key}: no test sees it silent, firing, and silent again`]),
    ...(silent ? [] : [`${key}: no test sees it stay silent`]),
  ];
}
