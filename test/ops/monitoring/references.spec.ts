import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { faultsOfAlert, faultsOfRunbook, faultsOfTests, headingsOf } from './coverage.ts';
import { knownMetrics, strangersIn } from './known-metrics.ts';
import { panelQueries } from './panels.ts';
import { type Alert, loadLooks, loadRules } from './rule-files.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { alerts, recordings } = loadRules();
const known = knownMetrics(recordings);
const looks = loadLooks();
const headings = headingsOf(readFileSync(`${ROOT}docs/runbook.md`, 'utf8'));

describe('the rules of monitoring/prometheus', () => {
  it('Q2: name only metrics and labels that the code, an exporter or a recording rule serves', () => {
    const strangers = [...alerts, ...recordings].flatMap((rule) =>
      strangersIn(rule.expr, known).map(
        (fault) => `${rule.file}: ${'alert' in rule ? rule.alert : rule.record}: ${fault}`,
      ),
    );
    expect(strangers).toEqual([]);
    expect(alerts.length).toBeGreaterThan(40);
  });

  it('Q2: each alert waits, says how bad it is and what that means, and links to its heading', () => {
    expect(alerts.flatMap(faultsOfAlert)).toEqual([]);
  });

  it('Q2: each alert has a heading in the runbook, and each heading an alert', () => {
    expect(faultsOfRunbook(alerts, headings)).toEqual([]);
  });

  it('Q2: each alert has a test that sees it come and go, and one that sees it stay away', () => {
    expect(alerts.flatMap((alert) => faultsOfTests(alert, looks))).toEqual([]);
  });

  it('Q2: the limits are those that were promised', () => {
    const of = (name: string) =>
      alerts
        .filter(({ alert }) => alert === name)
        .map((rule) => [rule.expr.replace(/\s+/g, ' '), rule.for, rule.labels?.severity]);
    expect(of('HighErrorRate')).toEqual([
      [expect.stringMatching(/status_code=~"5\.\."\}\[2m\]\)\) > 0\.1$/), '2m', 'critical'],
    ]);
    expect(of('HighResponseTime')).toEqual([
      [expect.stringMatching(/^histogram_quantile\(0\.95,.* > 2$/), '5m', 'warning'],
    ]);
    expect(of('DatabaseConnectionsHigh')).toEqual([[expect.stringMatching(/ > 80 or .* > 80$/), '5m', 'warning']]);
    expect(of('LowDiskSpace')).toEqual([[expect.stringContaining(' < 0.1 '), '5m', 'critical']]);
    expect(of('HighMemoryUsage')).toEqual([[expect.stringMatching(/ > 0\.9 or .* > 0\.9$/), '5m', 'warning']]);
    expect(of('ApplicationDown')).toEqual([[expect.stringMatching(/^up\{job="api"\} == 0 /), '1m', 'critical']]);
    for (const name of ['AvailabilityBudgetBurn', 'LatencyBudgetBurn']) {
      const burns = of(name).map(([expr]) =>
        [...expr!.matchAll(/rate(\d+[mhd]) > ([\d.]+) /g)].map(([, window, factor]) => `${factor} ${window}`),
      );
      expect(burns).toEqual([
        ['14.4 1h', '14.4 5m'],
        ['6 6h', '6 30m'],
        ['3 1d', '3 2h'],
        ['1 3d', '1 6h'],
      ]);
    }
  });
});

describe('the dashboards of monitoring/grafana', () => {
  const folder = `${ROOT}monitoring/grafana/dashboards/`;
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

  it('Q3: name only metrics and labels that the code, an exporter or a recording rule serves', async () => {
    const queries = await panelQueries();
    expect(new Set(queries.map(({ dashboard }) => dashboard)).size).toBe(files.length);
    expect(
      queries.flatMap(({ dashboard, panel, expr }) =>
        strangersIn(expr, known).map((fault) => `${dashboard}: ${panel}: ${fault}`),
      ),
    ).toEqual([]);
  });
});

describe('the check itself', () => {
  const alert: Alert = {
    file: 'x.yaml',
    alert: 'Broken',
    expr: 'up == 0',
    for: '1m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 's',
      description: 'd',
      runbook_url: 'https://github.com/example/eyrie/blob/main/docs/runbook.md#broken',
    },
  };

  it.each([
    ['sum(rate(http_request_total[5m]))', 'nothing serves http_request_total'],
    ['rate(http_request_duration_seconds[5m])', 'nothing serves http_request_duration_seconds'],
    ['http_requests_total{status="500"}', 'http_requests_total has no label status'],
    ['sum by (route) (http_requests_total)', 'no metric of it has the label route'],
    ['hub:nothing:max > 0', 'nothing serves hub:nothing:max'],
    ['{job="api"}', `a selector without a metric's name in {job="api"}`],
  ])('Q2: finds the fault of %s', (expr, fault) => expect(strangersIn(expr, known)).toEqual([fault]));

  it.each<[string, Partial<Alert>]>([
    ['has no "for"', { for: undefined }],
    ['has the severity high', { labels: { severity: 'high' } }],
    ['has no summary', { annotations: { ...alert.annotations, summary: '' } }],
    ['has no description', { annotations: { ...alert.annotations, description: '' } }],
    ['links to #x', { annotations: { ...alert.annotations, runbook_url: '#x' } }],
    ['has labels of its own', { labels: { severity: 'critical', team: 'a' } }],
  ])('Q2: finds an alert that %s', (fault, change) =>
    expect(faultsOfAlert({ ...alert, ...change })).toEqual([`Broken ${fault}`]),
  );

  it('Q2: finds a missing heading, a heading of nothing, and one that stands twice', () => {
    expect(faultsOfAlert(alert)).toEqual([]);
    expect(faultsOfRunbook([alert], headingsOf('### Broken\n'))).toEqual([]);
    expect(faultsOfRunbook([alert], [])).toEqual(['Broken has no heading']);
    expect(faultsOfRunbook([alert], ['Broken', 'Gone', 'Broken'])).toEqual([
      'nothing raises Gone',
      'Broken has two headings',
    ]);
  });

  it('Q2: finds an alert whose tests never see it silent, or gone', () => {
    const look = (at: number, fires: boolean) => ({ at, fires });
    const whole = [look(60, false), look(90, true), look(200, false)];
    const silent = [look(30, false), look(120, false)];
    const faults = (...tests: { at: number; fires: boolean }[][]) =>
      faultsOfTests(alert, new Map([['Broken', tests]])).length;
    expect(faults(whole, silent)).toBe(0);
    expect(faults(whole)).toBe(1);
    expect(faults(whole, [look(60, false)])).toBe(1);
    expect(faults(whole.slice(1), silent)).toBe(1);
    expect(faults(whole.slice(0, 2), silent)).toBe(1);
    expect(faults()).toBe(2);
  });
});
