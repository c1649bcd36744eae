import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lifecycle } from 'eyrie/lifecycle';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';
import { Receiver } from '../harness/receiver.js';

let receiver: Receiver;
let api: TestApi;
let workerUrl: string;
beforeAll(async () => {
  receiver = await Receiver.start();
  api = await testApi({
    worker: true,
    config: `
route: { receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1s }
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]
`,
  });
  workerUrl = await api.worker!.getUrl();
});
afterAll(async () => {
  await api.close();
  await receiver.close();
});

const raise = (alert: object, headers?: Record<string, string>) =>
  api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: alert, headers });
const metrics = async (base = api.url) => (await fetch(`${base}/metrics`)).text();
const operator = { authorization: `Bearer ${keys.operator}` };

/** The value of a series, its labels in any order; 0 where it is not there. */
function value(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  const line = text
    .split('\n')
    .find((each) => each.split(/[{ ]/, 1)[0] === name && wanted.every((label) => each.includes(label)));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}

describe('metrics', () => {
  it('D1, D4: count requests by route, and what becomes of an alert, in api and worker', async () => {
    const team = { receiver: 'team', integration: 'webhook' };
    const delivered = (text: string) => value(text, 'alert_notifications_total', { ...team, outcome: 'delivered' });
    const done = { task: 'deliver-notification', outcome: 'done' };
    const before = delivered(await metrics(workerUrl));
    await raise({ name: 'Counted', severity: 'high' });
    const severity = { state: 'firing', severity: 'high' };
    const text = await eventually(async () => {
      const now = await metrics(workerUrl);
      const isTold = delivered(now) > before && value(now, 'job_duration_seconds_count', done) > 0;
      return isTold && value(now, 'alerts_active', severity) > 0 && now; // which is counted every five seconds
    }, 15_000);
    const raised = { method: 'POST', endpoint: '/api/v1/alerts', status_code: '202' };
    expect(value(text, 'http_requests_total', raised)).toBeGreaterThan(0);
    expect(value(text, 'alerts_received_total', { status: 'firing' })).toBeGreaterThan(0);
    expect(value(text, 'alert_delivery_latency_seconds_count', team)).toBeGreaterThan(0);
    expect(value(text, 'database_connections_max')).toBeGreaterThan(0);
    expect(text).toMatch(/^jobs_queue_depth\{state="due"\} \d/m);
    expect(value(text, 'jobs_workers_live')).toBeGreaterThan(0);
    expect(value(text, 'health_status', { check: 'database' })).toBe(1);
  });

  it('D1: a scanner adds no series', async () => {
    const unknown = { method: 'GET', endpoint: 'unknown', status_code: '404' };
    const paths = Array.from({ length: 200 }, (_, index) => `/scan/${index}/${Math.random()}`);
    await Promise.all(paths.map((path) => api.ask('GET', path, { key: null })));
    const text = await metrics();
    expect(text).not.toContain('/scan/');
    expect(value(text, 'http_requests_total', unknown)).toBeGreaterThanOrEqual(200);
  });
});

describe('the context of a request', () => {
  it('C4: stands in the lines of the job that tells of its alert', async () => {
    receiver.replies.push({ status: 503 });
    await raise({ name: 'Followed' }, { 'x-request-id': 'followed-request-1' });
    const line = await eventually(() => api.lines.find(({ message }) => message.includes('will be tried again')));
    expect(line).toMatchObject({
      request_id: 'followed-request-1',
      job: expect.stringMatching(/^deliver-notification:\d+$/),
    });
  });
});

describe('monitoring', () => {
  it('F1, F5: tells the inside of api and worker to those who may read, and to nobody else', async () => {
    for (const base of [api.url, workerUrl]) {
      expect((await fetch(`${base}/monitoring/health/detailed`)).status).toBe(401);
      const detailed = await (await fetch(`${base}/monitoring/health/detailed`, { headers: operator })).json();
      expect(Object.keys((detailed as { checks: object }).checks)).toEqual(
        expect.arrayContaining(['database', 'queue', 'worker', 'memory', 'event_loop']),
      );
      expect(JSON.stringify(detailed)).not.toContain('postgresql://');
      const info = await (await fetch(`${base}/monitoring/info`, { headers: operator })).json();
      expect(info).toMatchObject({ version: '0.0.0', gitSha: 'abc', environment: 'test', pid: process.pid });
    }
  });

  it('C6: changes the level of a logger while it runs, and back', async () => {
    const put = (path: string, key: string, body: object) =>
      api.ask('PUT', `/monitoring/loggers/${path}`, { key, body });
    expect((await put('Deliver', keys.ingest, { configuredLevel: 'error' })).status).toBe(403);
    expect((await put('Deliver', keys.operator, { configuredLevel: 'loud' })).status).toBe(400);
    expect((await put('Deliver', keys.operator, { configuredLevel: 'error', expiresIn: '10m' })).status).toBe(200);
    const { json } = await api.ask('GET', '/monitoring/loggers');
    expect((json as { loggers: Record<string, object> }).loggers).toMatchObject({
      Deliver: { effectiveLevel: 'error' },
    });
    expect((await api.ask('DELETE', '/monitoring/loggers/Deliver')).status).toBe(200);
  });
});

describe('a long export', () => {
  interface Line {
    alert?: { name: string };
    end?: { complete: boolean; count: number; next?: string; reason?: string };
  }
  const linesOf = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  it('G3: holds every alert, and says that it is whole', async () => {
    await raise(Array.from({ length: 1_200 }, (_, index) => ({ name: 'Exported', labels: { number: String(index) } })));
    const { status, headers, text } = await api.ask('GET', '/api/v1/alerts/export?filter=alertname="Exported"');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const lines = linesOf(text);
    expect(lines.at(-1)).toEqual({ end: { complete: true, count: 1_200 } });
    expect(new Set(lines.slice(0, -1).map(({ alert }) => JSON.stringify(alert)))).toHaveProperty('size', 1_200);
  });

  it('G3: refuses a bad question before it begins', async () => {
    expect((await api.ask('GET', '/api/v1/alerts/export?filter====')).status).toBe(400);
    expect((await api.ask('GET', '/api/v1/alerts/export?limit=3')).status).toBe(400);
  });

  it('G3: counts for dashboards, too', async () => {
    const { json } = await api.ask('GET', '/api/v1/alerts/summary');
    expect(json).toMatchObject({ notifications: { dead: 0 } });
  });

  it('G3: stops when the process drains, says how far it came, and goes on from there', async () => {
    const own = await testApi();
    try {
      const alerts = Array.from({ length: 1_200 }, (_, index) => ({ name: 'Long', labels: { number: String(index) } }));
      await own.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: alerts });
      own.app.get(Lifecycle).drain();
      const cut = linesOf((await own.ask('GET', '/api/v1/alerts/export')).text);
      const end = cut.at(-1)!.end!;
      expect(end).toMatchObject({ complete: false, reason: 'the server is stopping' });
      expect(cut.length - 1).toBe(end.count);
    } finally {
      await own.close();
    }
  });
});
