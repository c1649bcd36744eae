import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { type Answer, keys, testApi, type TestApi } from '../harness/api.js';

interface Listed {
  id: string;
  name: string;
  severity: string;
  state: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  occurrences: number;
  generatorURL: string;
}

const HOUR = 3_600_000;
let api: TestApi;
beforeAll(async () => (api = await testApi()));
afterAll(() => api.close());

const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  api.ask('POST', path, { key: keys.ingest, body, headers });

async function listed(filter: string): Promise<Listed[]> {
  const answer = await api.ask('GET', `/api/v1/alerts?filter=${encodeURIComponent(filter)}`);
  expect(answer.status).toBe(200);
  return (answer.json as { alerts: Listed[] }).alerts;
}

const pointers = ({ json }: Answer) => (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);

/** A body as it was recorded, with its times moved to now. */
async function recorded(name: string): Promise<string> {
  const text = await readFile(new URL(`bodies/${name}`, import.meta.url), 'utf8');
  const at = (offset: number) => new Date(Date.now() + offset).toISOString();
  return text.replace(/\{\{now([+-]\d+)m\}\}/g, (_, minutes: string) => at(Number(minutes) * 60_000));
}

describe('POST /api/v1/alerts', () => {
  it('H2: takes one alert, with severity medium and an end of its own unless told', async () => {
    const answer = await post('/api/v1/alerts', { name: 'One' });
    expect([answer.status, answer.json]).toEqual([202, { accepted: 1 }]);
    const [alert] = await listed('alertname="One"');
    expect(alert).toMatchObject({
      ...{ name: 'One', severity: 'medium', state: 'firing', occurrences: 1, annotations: {} },
      labels: { alertname: 'One', severity: 'medium' },
    });
    expect(Date.parse(alert!.endsAt) - Date.parse(alert!.startsAt)).toBe(300_000);
  });

  it('H2: takes several, with all that an alert may hold', async () => {
    const startsAt = new Date(Date.now() - HOUR).toISOString();
    const full = {
      ...{ name: 'Several', severity: 'critical', message: 'Größer 🦅', generatorURL: 'http://prometheus/graph' },
      ...{ labels: { host: 'db-1', 'with space': 'ü' }, details: { runbook: 'http://wiki/1' }, startsAt },
    };
    const answer = await post('/api/v1/alerts', [full, { name: 'Several', labels: { host: 'db-2' } }]);
    expect(answer.json).toEqual({ accepted: 2 });
    expect(await listed('host="db-1"')).toMatchObject([
      {
        labels: { alertname: 'Several', severity: 'critical', host: 'db-1', 'with space': 'ü' },
        ...{ annotations: { summary: 'Größer 🦅', runbook: 'http://wiki/1' }, startsAt },
        generatorURL: 'http://prometheus/graph',
      },
    ]);
    expect(await listed('alertname="Several"')).toHaveLength(2);
  });

  it('H3: counts a repeat, and resolves by an end in the past', async () => {
    const alert = { name: 'Again', labels: { host: 'a' } };
    await post('/api/v1/alerts', alert);
    await post('/api/v1/alerts', alert);
    expect(await listed('alertname="Again"')).toMatchObject([{ occurrences: 2, state: 'firing' }]);
    await post('/api/v1/alerts', { ...alert, endsAt: new Date().toISOString() });
    expect(await listed('alertname="Again"')).toMatchObject([{ state: 'resolved' }]);
  });

  it('H2: names every fault with its place, and stores nothing of the request', async () => {
    const answer = await post('/api/v1/alerts', [
      { name: 'Nothing' },
      { name: 7, severity: 'worst', labels: { 'a/b': 1 }, colour: 'red' },
      { name: 'Nothing', labels: { alertname: 'x' } },
    ]);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.json).toMatchObject({ type: 'urn:eyrie:problem:invalid-request', status: 400 });
    expect(pointers(answer).sort()).toEqual(['/1/colour', '/1/labels/a~1b', '/1/name', '/1/severity', '/2/labels']);
    expect(await listed('alertname="Nothing"')).toEqual([]);
  });

  it('H2: times that cannot be are faults too: all or nothing', async () => {
    const answer = await post('/api/v1/alerts', [
      { name: 'Times' },
      { name: 'Times', startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' },
      { name: 'Times', startsAt: new Date(Date.now() + 365 * 24 * HOUR).toISOString() },
    ]);
    expect(answer.json).toMatchObject({ status: 400, type: 'urn:eyrie:problem:invalid-alert' });
    expect(pointers(answer)).toEqual(expect.arrayContaining(['/1/endsAt', '/2/startsAt']));
    expect(await listed('alertname="Times"')).toEqual([]);
  });

  it('H2: an empty list is a fault', async () => {
    expect((await post('/api/v1/alerts', [])).status).toBe(400);
  });
});

describe('POST /api/v2/alerts', () => {
  it('H2: takes what Prometheus sends, firing and then resolved', async () => {
    const body = await recorded('prometheus.json');
    const prometheus = { 'user-agent': 'Prometheus/3.5.3' };
    const answer = await post('/api/v2/alerts', body, prometheus);
    expect([answer.status, answer.text]).toEqual([200, '']);
    const sent = JSON.parse(body) as { labels: object; annotations: object; startsAt: string; generatorURL: string }[];
    const [alert] = await listed('alertname="InstanceDown", instance="db-1:9100"');
    expect(alert).toMatchObject({
      state: 'firing',
      severity: 'critical',
      labels: sent[0]!.labels,
      annotations: sent[0]!.annotations,
    });
    expect(alert).toMatchObject({ startsAt: sent[0]!.startsAt, generatorURL: sent[0]!.generatorURL });
    expect(await listed('alertname="InstanceDown", instance="db-2:9100"')).toMatchObject([{ state: 'resolved' }]);
  });

  it('H2: of a mixed batch the valid ones are stored, and 400 names the others in a JSON string', async () => {
    const answer = await post('/api/v2/alerts', [
      { labels: { alertname: 'Mixed', number: '1' } },
      { labels: { alertname: 'Mixed', number: 2 } },
      { labels: {} },
      { labels: { alertname: 'Mixed', number: '4' }, annotations: null },
    ]);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.json).toBe(
      '/1/labels/number must be a string, not a number; /2/labels needs at least one label with a value',
    );
    expect((await listed('alertname="Mixed"')).map(({ labels }) => labels.number).sort()).toEqual(['1', '4']);
  });

  it('H2: takes an empty batch, and drops labels with empty values', async () => {
    expect((await post('/api/v2/alerts', [])).status).toBe(200);
    await post('/api/v2/alerts', [{ labels: { alertname: 'Bare', empty: '' } }]);
    expect(await listed('alertname="Bare"')).toMatchObject([{ labels: { alertname: 'Bare' } }]);
  });

  it.each([
    ['an object', {}],
    ['null', null],
    ['a number', 7],
    ['a text', '"alerts"'],
  ])('H2: refuses %s in a JSON string', async (_title, body) => {
    const answer = await post('/api/v2/alerts', body);
    expect([answer.status, typeof answer.json]).toEqual([400, 'string']);
  });
});

describe('POST /api/v1/integrations/alertmanager', () => {
  it('H2: takes the webhook of an Alertmanager, version 4', async () => {
    const answer = await post('/api/v1/integrations/alertmanager', await recorded('alertmanager-webhook.json'));
    expect([answer.status, answer.json]).toEqual([202, { accepted: 2 }]);
    expect(
      (await listed('alertname="DiskAlmostFull"')).map(({ labels, state }) => [labels.instance, state]).sort(),
    ).toEqual([
      ['db-1:9100', 'firing'],
      ['db-2:9100', 'resolved'],
    ]);
  });

  it('H2: names every fault with its place, and stores nothing of the message', async () => {
    const alerts = [{ labels: { alertname: 'Forwarded' } }, { labels: 'none', startsAt: 'noon' }];
    const answer = await post('/api/v1/integrations/alertmanager', { version: '4', alerts });
    expect([answer.status, pointers(answer)]).toEqual([400, ['/alerts/1/labels', '/alerts/1/startsAt']]);
    expect(pointers(await post('/api/v1/integrations/alertmanager', { version: '3', alerts }))).toEqual(['/version']);
    expect(pointers(await post('/api/v1/integrations/alertmanager', { version: '4' }))).toEqual(['/alerts']);
    expect(await listed('alertname="Forwarded"')).toEqual([]);
  });
});

describe('every way in', () => {
  it('H6: notes whose key was used', async () => {
    await post('/api/v1/alerts', { name: 'Traced' });
    const [{ id }] = (await listed('alertname="Traced"')) as [Listed];
    const { json } = await api.ask('GET', `/api/v1/alerts/${id}`);
    expect((json as { events: unknown[] }).events).toMatchObject([{ type: 'fired', actor: 'key:INGEST_KEY' }]);
  });
});
