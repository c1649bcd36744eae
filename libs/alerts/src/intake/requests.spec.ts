import { describe, expect, it } from '@jest/globals';
import { alertRequest, alertRequests, toPostableAlert } from './alert-request.js';
import { parsePostableAlerts } from './postable-alerts.js';
import { parseWebhookMessage } from './webhook-message.js';

const context = { now: Date.parse('2020-03-01T12:00:00Z'), resolveTimeoutMs: 300_000 };

describe('H2: an alert from code or POST /api/v1/alerts', () => {
  it('becomes labels and annotations', () => {
    const request = alertRequest.parse({
      name: 'DiskFull',
      severity: 'critical',
      message: 'Disk is full',
      labels: { host: 'db-1' },
      details: { runbook: 'https://runbooks.test/disk' },
      generatorURL: 'https://graphs.test',
      startsAt: '2020-03-01T11:00:00+01:00',
    });
    const { alerts, faults } = parsePostableAlerts([toPostableAlert(request)], context);
    expect(faults).toEqual([]);
    expect(alerts).toEqual([
      {
        labels: { alertname: 'DiskFull', severity: 'critical', host: 'db-1' },
        annotations: { runbook: 'https://runbooks.test/disk', summary: 'Disk is full' },
        generatorUrl: 'https://graphs.test',
        startsAt: context.now - 2 * 3_600_000,
        endsAt: context.now + 300_000,
        timeout: true,
        startUnknown: false,
      },
    ]);
  });

  it('needs a name only', () => {
    expect(toPostableAlert(alertRequest.parse({ name: 'A' }))).toEqual({
      labels: { alertname: 'A', severity: 'medium' },
      annotations: {},
    });
  });

  it.each<[string, unknown, string]>([
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['NUL in the name', { name: 'a\0' }, 'name'],
    ['a name that no index could hold', { name: 'x'.repeat(513) }, 'name'],
    ['a severity that does not exist', { name: 'A', severity: 'bad' }, 'severity'],
    ['a field that does not exist', { name: 'A', title: 'x' }, ''],
    ['alertname among the labels', { name: 'A', labels: { alertname: 'B' } }, 'labels'],
    ['severity among the labels', { name: 'A', labels: { severity: 'low' } }, 'labels'],
    ['summary among the details', { name: 'A', details: { summary: 'x' } }, 'details'],
    ['a number for a label', { name: 'A', labels: { a: 1 } }, 'labels.a'],
    ['half a surrogate pair', { name: 'A', message: '\ud83e' }, 'message'],
    [
      'too many labels',
      { name: 'A', labels: Object.fromEntries(Array.from({ length: 127 }, (_, i) => [i, 'x'])) },
      'labels',
    ],
    ['a time that is none', { name: 'A', startsAt: 'now' }, 'startsAt'],
  ])('is refused with %s', (_title, request, path) => {
    const { error } = alertRequest.safeParse(request);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('may come with others', () => {
    expect(alertRequests.parse([{ name: 'A' }, { name: 'B' }])).toHaveLength(2);
    expect(alertRequests.safeParse([]).success).toBe(false);
  });
});

describe("H2: Alertmanager's webhook", () => {
  const message = (alerts: unknown) => ({ version: '4', groupKey: '{}:{}', status: 'firing', receiver: 'hub', alerts });
  const firing = {
    status: 'firing',
    labels: { alertname: 'Down', job: 'api' },
    annotations: { summary: 'it is down' },
    startsAt: '2020-03-01T11:59:00.000Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.test/graph',
    fingerprint: '0123456789abcdef',
  };

  it('brings what fires, without an end, and what is over, with one', () => {
    const resolved = { ...firing, status: 'resolved', endsAt: '2020-03-01T11:59:30Z' };
    const { alerts, faults } = parseWebhookMessage(message([firing, resolved]), context);
    expect(faults).toEqual([]);
    expect(alerts).toMatchObject([
      { labels: firing.labels, annotations: firing.annotations, startsAt: context.now - 60_000, timeout: true },
      { startsAt: context.now - 60_000, endsAt: context.now - 30_000, timeout: false },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['another version', { ...message([]), version: '3' }, '/version'],
    ['nothing', null, '/version'],
    ['a list', [], '/version'],
    ['no alerts', message(undefined), '/alerts'],
    ['alerts that are an object', message({}), '/alerts'],
    ['too many alerts', message(new Array(10_001).fill(firing)), '/alerts'],
    ['a faulty alert', message([firing, { ...firing, labels: { a: 1 } }]), '/alerts/1/labels/a'],
  ])('is refused with %s', (_title, body, pointer) => {
    expect(parseWebhookMessage(body, context).faults.map((fault) => fault.pointer)).toEqual([pointer]);
  });
});
