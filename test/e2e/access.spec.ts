import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { type Route, routesOf } from '../harness/routes.js';

interface OpenApi {
  paths: Record<string, Record<string, unknown>>;
}

const ID = '0198c1a2-0000-7000-8000-000000000001';
let api: TestApi;
let everyRoute: Route[];
let routes: Route[];
beforeAll(async () => {
  api = await testApi();
  everyRoute = routesOf(api.app);
  routes = everyRoute.filter(({ access }) => access !== 'public');
});
afterAll(() => api.close());

const ask = ({ method, path }: Route, key: string | null) =>
  api.ask(method, path.replace(/\{\w+\}/g, ID), { key, ...(method !== 'GET' && method !== 'DELETE' && { body: [] }) });

const scopeOf = ({ access }: Route) => (typeof access === 'object' ? access.scope : access);

describe('every route', () => {
  it('I2: is documented, and nothing is documented that is no route', async () => {
    const { paths } = (await api.ask('GET', '/docs-json', { key: null })).json as OpenApi;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const described = everyRoute.filter(({ path }) => !/^\/(health|monitoring|metrics|ws)(\/|$)/.test(path));
    expect(documented.sort()).toEqual(described.map(({ method, path }) => `${method} ${path}`).sort());
    expect(documented.length).toBeGreaterThanOrEqual(11);
  });

  it('I2: asks for a scope, but for probes, scrapes and what leads to a login', () => {
    const open = everyRoute.filter(({ access }) => access === 'public').map(({ path }) => path);
    const free = /^\/(health(\/\w+)?|metrics|monitoring\/(health|metrics)|api\/auth\/(login|refresh|logout))$/;
    expect(open.filter((path) => !free.test(path))).toEqual([]);
    expect(everyRoute.filter(({ access }) => access === undefined)).toEqual([]);
  });

  it('I2: asks for ingest to raise alerts, and for no more than read to look', () => {
    const ways = /^\/api\/(v1|v2)\/(alerts|integrations\/\w+)$/;
    const raising = routes.filter(({ method, path }) => method === 'POST' && ways.test(path));
    expect(raising.map(scopeOf)).toEqual(['ingest', 'ingest', 'ingest']);
    const looking = routes.filter(
      ({ method, path }) => method === 'GET' && /^\/api\/v[12]\/(alerts|notif|status)/.test(path),
    );
    expect(looking.length).toBeGreaterThan(5);
    expect(new Set(looking.map(scopeOf))).toEqual(new Set(['read']));
  });

  it.each([
    ['no key', null, /^Bearer realm="eyrie"$/],
    ['an unknown key', 'eyr_unknown-key-of-nobody', /error="invalid_token"/],
  ])('I2: answers 401 to %s, and says what is wanted', async (_title, key, wanted) => {
    for (const route of routes) {
      const answer = await ask(route, key);
      expect([route.path, answer.status]).toEqual([route.path, 401]);
      expect(answer.headers.get('www-authenticate')).toMatch(wanted);
      expect(answer.text).not.toContain(key ?? 'eyr_');
    }
  });

  it('I2: lets the key for ingest in where ingest is asked for, and nowhere else', async () => {
    for (const route of routes) {
      const { status, headers } = await ask(route, keys.ingest);
      const isOpen = scopeOf(route) === 'ingest';
      expect([route.path, status === 403]).toEqual([route.path, !isOpen]);
      expect(status).not.toBe(401);
      if (typeof route.access === 'object' && !isOpen) {
        expect(headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
      }
    }
  });

  it("I2: lets the operator's key in everywhere but where people look after what is theirs", async () => {
    for (const route of routes) {
      if (route.access === 'signed-in') {
        expect([route.path, (await ask(route, keys.operator)).status]).toEqual([route.path, 403]);
        continue;
      }
      const { status } = await ask(route, keys.operator);
      expect([route.path, [401, 403].includes(status) || status >= 500]).toEqual([route.path, false]);
    }
  });

  it.each([
    '/api/v1/alerts/',
    '//api/v1/alerts',
    '/API/v1/alerts',
    '/api/v1/./alerts',
    '/api/v1%2falerts',
    '/api/v1/alerts;a=b',
  ])('I2: is not reached without its scope by another spelling of its path: %s', async (url) => {
    for (const authorization of ['', `Bearer ${keys.ingest}`]) {
      const { statusCode } = await api.app.inject({ method: 'GET', url, headers: { authorization } });
      expect([401, 403, 404]).toContain(statusCode);
    }
  });
});

describe('every answer', () => {
  it.each([
    ['GET', '/api/v1/alerts', 200],
    ['GET', '/api/v2/status', 200],
    ['GET', '/health/live', 200],
    ['GET', '/docs', 200],
    ['GET', '/nowhere', 404],
    ['GET', '/api/v2/nowhere', 404],
    ['GET', '/%zz', 400],
    ['POST', '/api/v1/alerts', 400],
    ['POST', '/-/reload', 200],
  ] as const)('C2: of %s %s has a request id and the time it took', async (method, path, status) => {
    const answer = await api.ask(method, path, { headers: { 'x-request-id': 'spec-request-0001' } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-request-id')).toBe('spec-request-0001');
    expect(Number(answer.headers.get('x-process-time'))).toBeGreaterThanOrEqual(0);
    const made = await api.ask(method, path, { headers: { 'x-request-id': 'not well formed' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('C3: is logged with its route, status and client; health is not', async () => {
    api.lines.length = 0;
    const { headers } = await api.ask('GET', `/api/v1/alerts/${ID}`);
    await api.ask('GET', '/health/ready', { key: null });
    const access = api.lines.filter(({ message }) => message.startsWith('Request '));
    expect(access.map(({ message }) => message)).toEqual(['Request received', 'Request completed']);
    expect(access[1]).toMatchObject({
      ...{ method: 'GET', url: `/api/v1/alerts/${ID}`, route: '/api/v1/alerts/:id', status_code: 404 },
      ...{ request_id: headers.get('x-request-id'), client_ip: '127.0.0.1', service: 'api' },
    });
  });
});
