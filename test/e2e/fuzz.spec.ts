import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { routesOf } from '../harness/routes.js';

const RUNS = 150;
let api: TestApi;
beforeAll(async () => (api = await testApi()));
afterEach(() => {
  expect(api.lines.splice(0).filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
afterAll(() => api.close());

const any = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const text = fc.string({ unit: 'binary', maxLength: 40 });
const sometimes = <T>(right: fc.Arbitrary<T>) => fc.oneof({ weight: 8, arbitrary: right }, any);
const texts = sometimes(fc.dictionary(text, sometimes(text), { maxKeys: 6 }));
const time = sometimes(
  fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc
      .date({ min: new Date(Date.now() - 1e9), max: new Date(Date.now() + 1e9), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc.constantFrom('', '0001-01-01T00:00:00Z', '2026-02-30T24:00:60+99:99', '0000-00-00T00:00:00Z'),
  ),
);
const times = { startsAt: time, endsAt: time, generatorURL: sometimes(text) };
const postable = fc.record({ labels: texts, annotations: texts, ...times }, { requiredKeys: [] });
const request = fc.record(
  {
    ...{ name: sometimes(text), severity: sometimes(fc.constantFrom('low', 'critical')), message: sometimes(text) },
    ...{ labels: texts, details: texts, ...times },
  },
  { requiredKeys: ['name'] },
);
/** One that is taken: among arbitrary ones those are rare. */
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const decent = fc.record({ name: word, labels: fc.dictionary(word, word, { maxKeys: 4 }) });
const several = (alert: fc.Arbitrary<unknown>) => fc.array(sometimes(alert), { maxLength: 4 });

const bodies: Record<string, fc.Arbitrary<unknown>> = {
  '/api/v1/alerts': fc.oneof(any, request, several(request), decent, fc.array(decent, { minLength: 1, maxLength: 4 })),
  '/api/v2/alerts': fc.oneof(any, several(postable)),
  '/api/v1/integrations/alertmanager': fc.oneof(
    any,
    fc.record({ version: sometimes(fc.constant('4')), alerts: several(postable) }),
  ),
};

describe('whatever JSON is posted', () => {
  it.each(Object.entries(bodies))('H2: %s takes it, or names its faults', async (path, arbitrary) => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(arbitrary, async (body) => {
        const { status, json } = await api.ask('POST', path, { key: keys.ingest, body: JSON.stringify(body) });
        statuses.add(status);
        if (status === 400) {
          const told = path.startsWith('/api/v2/') ? (json as string) : (json as { errors?: unknown[] }).errors;
          expect(told?.length).toBeGreaterThan(0);
        } else expect([200, 202]).toContain(status);
      }),
      { numRuns: RUNS },
    );
    expect([...statuses].sort()).toHaveLength(2);
  });

  it('H3: what was taken can be read', async () => {
    for (const path of ['/api/v1/alerts?limit=1000', '/api/v2/alerts']) {
      const { status, json } = await api.ask('GET', path);
      expect(status).toBe(200);
      const alerts = (Array.isArray(json) ? json : (json as { alerts: object[] }).alerts) as Record<string, string>[];
      expect(alerts.length).toBeGreaterThan(0);
      for (const { startsAt, endsAt } of alerts)
        expect([Date.parse(startsAt!), Date.parse(endsAt!)]).not.toContain(NaN);
    }
  });

  it('H2: other routes for POST do not mind a body, or refuse it', async () => {
    const others = routesOf(api.app).filter(({ method, path }) => method === 'POST' && !(path in bodies));
    expect(others.length).toBeGreaterThanOrEqual(3);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...others), any, async ({ path }, body) => {
        const id = '0198c1a2-0000-7000-8000-000000000001';
        const { status } = await api.ask('POST', path.replace(/\{\w+\}/g, id), { body: JSON.stringify(body) });
        expect(status).toBeLessThan(500);
      }),
      { numRuns: RUNS / 3 },
    );
  });
});

describe('whatever is asked', () => {
  const matcher = fc.oneof(
    text,
    fc
      .tuple(text, fc.constantFrom('=', '!=', '=~', '!~'), text)
      .map(([name, operator, value]) => `${name}${operator}${JSON.stringify(value)}`),
    text.map((value) => `alertname=${JSON.stringify(value)}`),
  );
  const parameter = fc.oneof(
    fc.tuple(fc.constant('filter'), matcher),
    fc.tuple(
      fc.constantFrom('state', 'severity', 'receiver', 'cursor', 'limit', 'active', 'inhibited', '__proto__'),
      text,
    ),
    fc.tuple(text, text),
  );
  const paths = ['/api/v1/alerts', '/api/v1/notifications', '/api/v2/alerts'];

  it('H3: every list answers it, or names its faults', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.array(parameter, { maxLength: 3 }), async (path, parameters) => {
        const query = parameters.map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('='));
        const { status, json } = await api.ask('GET', `${path}?${query.join('&')}`);
        expect([200, 400]).toContain(status);
        expect(json).toBeDefined();
      }),
      { numRuns: RUNS * 2 },
    );
  });

  it.each([
    '/api/v1/alerts?severity=%00',
    '/api/v1/alerts?filter=alertname%3D%22%00%22',
    '/api/v1/notifications?receiver=a%00b',
    '/api/v1/alerts?state=firing&state=resolved',
    '/api/v1/alerts?limit=1e9',
    '/api/v1/alerts?cursor=1',
    '/api/v1/alerts/not-a-uuid',
    '/api/v1/notifications/%00',
    '/api/v2/alerts?receiver=(',
    '/api/v2/alerts?filter=a',
    `/api/v2/alerts?receiver=${'('.repeat(2_000)}${')'.repeat(2_000)}`,
  ])('H3: 400 to %s', async (path) => {
    const { status, json } = await api.ask('GET', path);
    expect([status, typeof json]).toEqual([400, path.startsWith('/api/v2/') ? 'string' : 'object']);
  });

  it('H7: replay of what no receiver can be called', async () => {
    expect((await api.ask('POST', '/api/v1/notifications/replay?receiver=%00')).status).toBe(400);
    expect((await api.ask('POST', '/api/v1/notifications/replay?recevier=team')).status).toBe(400);
    expect((await api.ask('POST', '/api/v1/notifications/zero/replay')).status).toBe(400);
  });
});
