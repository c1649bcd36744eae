import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAlertsConfig } from 'eyrie/alerts';
import { testApi, type TestApi } from '../harness/api.js';

const CONFIG = `route:
  receiver: everybody
  routes:
    - { receiver: team-db, matchers: [team="db"], continue: true }
    - { receiver: night, matchers: [severity="critical"] }
inhibit_rules:
  - { source_matchers: [severity="critical"], target_matchers: [severity="low"], equal: [cluster] }
receivers:
  - name: everybody
  - { name: team-db, webhook_configs: [{ url: 'http://hook.test/T0KEN-hunter2' }] }
  - { name: night, email_configs: [{ to: a@b.test, from: c@d.test, smarthost: 'mail.test:25', auth_username: me, auth_password: hunter2-Zq9 }] }
`;
const KEYS = [
  'annotations',
  'endsAt',
  'fingerprint',
  'generatorURL',
  'labels',
  'receivers',
  'startsAt',
  'status',
  'updatedAt',
];

interface Alert {
  labels: Record<string, string>;
  receivers: { name: string }[];
  fingerprint: string;
  status: { state: string; inhibitedBy: string[] };
}

let api: TestApi;
beforeAll(async () => {
  api = await testApi({ config: CONFIG });
  const alert = (alertname: string, labels: object) => ({ labels: { alertname, ...labels } });
  const answer = await api.ask('POST', '/api/v2/alerts', {
    body: [
      alert('Down', { severity: 'critical', cluster: 'a', team: 'db' }),
      alert('Slow', { severity: 'low', cluster: 'a' }),
      alert('Slow', { severity: 'low', cluster: 'b' }),
      {
        ...alert('Over', { cluster: 'a' }),
        startsAt: new Date(Date.now() - 60_000),
        endsAt: new Date(Date.now() - 1_000),
      },
    ],
  });
  expect(answer.status).toBe(200);
});
afterAll(() => api.close());

async function alerts(query = ''): Promise<Alert[]> {
  const { status, json } = await api.ask('GET', `/api/v2/alerts${query}`);
  expect(status).toBe(200);
  return json as Alert[];
}

const clusters = async (query: string) =>
  (await alerts(query)).map(({ labels }) => `${labels.alertname}/${labels.cluster}`).sort();

function everyValue(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(everyValue);
}

describe('GET /api/v2/alerts', () => {
  it('H9: gives firing alerts with exactly the fields of gettableAlert, times in RFC 3339, and never null', async () => {
    const found = await alerts();
    expect(found).toHaveLength(3);
    for (const alert of found) expect(Object.keys(alert).sort()).toEqual(KEYS);
    expect(everyValue(found)).not.toContain(null);
    const down = found.find(({ labels }) => labels.alertname === 'Down')!;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(down).toMatchObject({ annotations: {}, generatorURL: '', startsAt: time, endsAt: time, updatedAt: time });
    expect(down.status).toEqual({ state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] });
    expect(down.receivers).toEqual([{ name: 'team-db' }, { name: 'night' }]);
    expect(down.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  it('H9: an inhibited alert is suppressed, by the fingerprint of the other', async () => {
    const found = await alerts();
    const down = found.find(({ labels }) => labels.alertname === 'Down')!;
    const slow = found.find(({ labels }) => labels.alertname === 'Slow' && labels.cluster === 'a')!;
    expect(slow.status).toMatchObject({ state: 'suppressed', inhibitedBy: [down.fingerprint] });
  });

  it.each([
    ['?active=false', ['Slow/a']],
    ['?inhibited=false', ['Down/a', 'Slow/b']],
    ['?silenced=false&unprocessed=false', ['Down/a', 'Slow/a', 'Slow/b']],
    ['?active=false&inhibited=false', []],
    ['?receiver=night', ['Down/a']],
    ['?receiver=every.*', ['Slow/a', 'Slow/b']],
    ['?receiver=every', []],
    ['?filter=cluster%3D%22a%22', ['Down/a', 'Slow/a']],
    ['?filter=cluster%3D%22a%22&filter=severity!~%22crit.*%22', ['Slow/a']],
  ])('H9: %s', async (query, expected) => {
    expect(await clusters(query)).toEqual(expected);
  });

  it.each(['?filter=cluster', '?receiver=(', '?active=perhaps'])('H9: 400 in a JSON string to %s', async (query) => {
    const { status, json, headers } = await api.ask('GET', `/api/v2/alerts${query}`);
    expect([status, typeof json]).toEqual([400, 'string']);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });
});

describe('GET /api/v2/status', () => {
  it('H9: has the fields that amtool, Grafana and Prometheus read, with their types', async () => {
    const { status, json } = await api.ask('GET', '/api/v2/status');
    const text = expect.any(String);
    expect([status, json]).toEqual([
      200,
      {
        cluster: { status: 'disabled', peers: [] },
        versionInfo: {
          version: expect.stringMatching(/^0\.\d+\.\d+$/),
          ...{ revision: 'abc', branch: text, buildUser: text, buildDate: text, goVersion: text },
        },
        config: { original: text },
        uptime: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  it('C5: shows the configuration without its secrets, and it is still one', async () => {
    const { json, text } = await api.ask('GET', '/api/v2/status');
    expect(text).not.toContain('hunter2');
    const { original } = (json as { config: { original: string } }).config;
    const again = parseAlertsConfig(original.replace('url: <secret>', 'url: http://other'), { baseDirectory: '/' });
    expect([...again.receivers.keys()]).toEqual(['everybody', 'team-db', 'night']);
  });
});

describe('an unknown path below /api/v2', () => {
  it('H9: is 404 in a JSON string', async () => {
    const { status, json } = await api.ask('GET', '/api/v2/silences');
    expect([status, typeof json]).toEqual([404, 'string']);
  });
});
