import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testApi, type TestApi } from '../harness/api.js';

interface Alert {
  id: string;
  name: string;
  state: string;
  severity: string;
  labels: Record<string, string>;
}
interface Page {
  alerts: Alert[];
  next?: string;
}

const NONE = '0198c1a2-0000-7000-8000-000000000001';
let api: TestApi;

beforeAll(async () => {
  api = await testApi();
  const past = new Date(Date.now() - 1_000).toISOString();
  const alerts = Array.from({ length: 25 }, (_, number) => ({
    name: number % 5 === 0 ? 'DiskFull' : 'HighLoad',
    severity: ['low', 'medium', 'high', 'critical'][number % 4],
    labels: { host: `db-${number}`, team: number < 20 ? 'db' : 'web' },
    ...(number >= 22 && { endsAt: past }),
  }));
  for (const alert of alerts) await api.ask('POST', '/api/v1/alerts', { body: alert });
});
afterAll(() => api.close());

async function page(query: Record<string, string | string[]>): Promise<Page> {
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query))
    for (const value of [values].flat()) parameters.append(name, value);
  const answer = await api.ask('GET', `/api/v1/alerts?${parameters.toString()}`);
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  return answer.json as Page;
}

const hosts = async (query: Record<string, string | string[]>) =>
  (await page(query)).alerts.map(({ labels }) => labels.host);

describe('GET /api/v1/alerts', () => {
  it('H3: lists active alerts and history, the latest first, with every field', async () => {
    const { alerts, next } = await page({});
    expect(next).toBeUndefined();
    expect(alerts.map(({ labels }) => labels.host)).toEqual(
      Array.from({ length: 25 }, (_, number) => `db-${24 - number}`),
    );
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(alerts[24]).toEqual({
      ...{
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      ...{ name: 'DiskFull', severity: 'low', state: 'firing', occurrences: 1, generatorURL: '', annotations: {} },
      labels: { alertname: 'DiskFull', severity: 'low', host: 'db-0', team: 'db' },
      ...{ startsAt: time, endsAt: time, lastSeenAt: time },
      ...{ acknowledgedAt: null, acknowledgedBy: null, snoozedUntil: null },
    });
  });

  it.each([
    ['state', { state: 'resolved' }, ['db-24', 'db-23', 'db-22']],
    ['state and severity', { state: 'firing', severity: 'critical' }, ['db-19', 'db-15', 'db-11', 'db-7', 'db-3']],
    ['a matcher', { filter: 'team="web"' }, ['db-24', 'db-23', 'db-22', 'db-21', 'db-20']],
    ['the name', { filter: 'alertname="DiskFull"' }, ['db-20', 'db-15', 'db-10', 'db-5', 'db-0']],
    ['several matchers in one', { filter: 'team="web",alertname=~"Disk.*"' }, ['db-20']],
    ['several filters', { filter: ['team="db"', 'host=~"db-1[0-3]"', 'severity!="low"'] }, ['db-13', 'db-11', 'db-10']],
    ['a label that some lack', { filter: 'rack=""', severity: 'high', state: 'resolved' }, ['db-22']],
    ['what none has', { filter: 'team="none"' }, []],
  ])('H3: filters by %s', async (_title, query, expected) => {
    expect(await hosts(query as Record<string, string | string[]>)).toEqual(expected);
  });

  it.each<Record<string, string>>([{}, { filter: 'severity=~"low|high"' }, { state: 'firing' }])(
    'H3: pages by keyset are the whole list, once: %j',
    async (query) => {
      const whole = await hosts({ ...query, limit: '1000' });
      const paged: (string | undefined)[] = [];
      for (let cursor: string | undefined, pages = 0; pages === 0 || cursor; pages++) {
        const { alerts, next } = await page({ ...query, limit: '3', ...(cursor && { cursor }) });
        expect(alerts.length).toBeLessThanOrEqual(3);
        // What comes in meanwhile does not move what is on the pages to come.
        await api.ask('POST', '/api/v1/alerts', {
          body: { name: 'Late', severity: 'low', labels: { host: `late-${pages}` } },
        });
        paged.push(...alerts.map(({ labels }) => labels.host));
        cursor = next;
      }
      expect(paged).toEqual(whole);
    },
  );

  it.each([
    ['cursor=1', '/cursor'],
    ['state=pending', '/state'],
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=ten', '/limit'],
    ['filter=team', '/filter'],
    ['filter=team%3D~%22(%22', '/filter'],
    ['colour=red', '/colour'],
  ])('H3: answers 400 to ?%s, and names the parameter', async (query, pointer) => {
    const { status, json } = await api.ask('GET', `/api/v1/alerts?${query}`);
    expect([status, json]).toMatchObject([400, { type: 'urn:eyrie:problem:invalid-request', errors: [{ pointer }] }]);
  });
});

describe('GET /api/v1/alerts/:id', () => {
  it('H3: shows one episode with its events, in their order, and no notification where nobody is told', async () => {
    const alert = { name: 'Storied', labels: { host: 'x' } };
    await api.ask('POST', '/api/v1/alerts', { body: alert });
    await api.ask('POST', '/api/v1/alerts', { body: { ...alert, message: 'now with a message' } });
    await api.ask('POST', '/api/v1/alerts', { body: { ...alert, endsAt: new Date().toISOString() } });
    const [found] = (await page({ filter: 'alertname="Storied"' })).alerts;
    const { status, json } = await api.ask('GET', `/api/v1/alerts/${found!.id}`);
    expect([status, json]).toMatchObject([200, { ...found, notifications: [] }]);
    const { events } = json as { events: { id: string; type: string; actor: string; at: string }[] };
    expect(events.map(({ type }) => type)).toEqual(['fired', 'changed', 'resolved']);
    expect(events.map(({ id }) => BigInt(id))).toEqual(
      events.map(({ id }) => BigInt(id)).sort((a, b) => Number(a - b)),
    );
    expect(new Set(events.map(({ actor }) => actor))).toEqual(new Set(['key:OPERATOR_KEY']));
  });

  it('H3: answers 404 for an id that is nobody’s, 400 for what is none', async () => {
    const missing = await api.ask('GET', `/api/v1/alerts/${NONE}`);
    expect([missing.status, missing.json]).toMatchObject([404, { type: 'urn:eyrie:problem:alert-not-found' }]);
    expect((await api.ask('GET', '/api/v1/alerts/1')).status).toBe(400);
    const notification = await api.ask('GET', `/api/v1/notifications/${NONE}`);
    expect([notification.status, notification.json]).toMatchObject([
      404,
      { type: 'urn:eyrie:problem:notification-not-found' },
    ]);
  });
});
