import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { type Route, routesOf } from '../harness/routes.js';

interface OpenApi {
  paths: Record<string, Record<string, unknown>>;
}

const ID = '0198c1a2-0000-7000-8000-000000000001';
let api: TestApi;
let routes: Route[];
beforeAll(async () => {
  api = await testApi();
  routes = routesOf(api.app).filter(({ controller }) => controller !== 'HealthController');
});
afterAll(() => api.close());

const ask = ({ method, path }: Route, key: string | null) =>
  api.ask(method as 'GET' | 'POST', path.replace('{id}', ID), { key, ...(method === 'POST' && { body: [] }) });

const scopeOf = ({ access }: Route) => (typeof access === 'object' ? access.scope : access);

describe('every route', () => {
  it('I2: is documented, and nothing is documented that is no route', async () => {
    const { paths } = (await api.ask('GET', '/docs-json', { key: null })).json as OpenApi;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
    expect(documented.length).toBeGreaterThanOrEqual(11);
  });

  it('I2: asks for a scope: read to look, ingest to raise alerts, manage for everything else', () => {
    const ways = /^\/api\/(v1|v2)\/(alerts|integrations\/\w+)$/;
    const wanted = ({ method, path }: Route) => (method === 'GET' ? 'read' : ways.test(path) ? 'ingest' : 'manage');
    expect(routes.map((route) => [route.method, route.path, scopeOf(route)])).toEqual(
      routes.map((route) => [route.method, route.path, wanted(route)]),
    );
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
      if (!isOpen) expect(headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
    }
  });

  it("I2: lets the operator's key in everywhere", async () => {
    for (const route of routes) {
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
