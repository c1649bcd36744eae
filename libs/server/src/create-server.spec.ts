import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import * as z from 'zod';
import { type Line, lines, planted, settings, start } from '../fixtures/server.js';
import { schemaOf } from './index.js';

let app: NestFastifyApplication;
let url: string;

beforeAll(async () => ({ app, url } = await start()));
afterAll(() => app.close());
beforeEach(() => void (lines.length = 0));

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => fetch(url + path, { method: 'POST', body, headers });

async function logged(message: string): Promise<Line> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(5)) {
    const line = lines.find((each) => each.message === message);
    if (line) return line;
  }
  throw new Error(`not logged: ${message}`);
}

describe('createServer', () => {
  it.each([
    ['/ok/1', 200],
    ['/nowhere', 404],
    ['/broken', 500],
    ['/unsendable', 500],
    ['/refused', 409],
    ['/bad%zzurl', 400],
    ['/health/live', 200],
  ])('C2: the answer of %s has X-Request-ID, X-Process-Time and the security headers', async (path, status) => {
    const response = await fetch(url + path);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-request-id')).toMatch(uuid);
    expect(Number(response.headers.get('x-process-time'))).toBeGreaterThanOrEqual(0);
    expect(response.headers.get('x-process-time')).toMatch(/^\d+\.\d{6}$/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('strict-transport-security')).toContain('max-age=63072000');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
  });

  it('C2: takes a well-formed X-Request-ID from a trusted client only', async () => {
    const ask = async (base: string, id: string) =>
      (await fetch(`${base}/ok/1`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await ask(url, 'abc-12345.Z')).toBe('abc-12345.Z');
    for (const id of ['short', 'has space in it', 'x'.repeat(129), 'quote"quote"'])
      expect(await ask(url, id)).toMatch(uuid);
    const wary = await start({ TRUST_PROXY: '10.0.0.0/8' });
    expect(await ask(wary.url, 'abc-12345.Z')).toMatch(uuid);
    await wary.app.close();
  });

  it('C3: logs a request with what one asks about later, and none of the probes', async () => {
    await fetch(`${url}/health/ready`);
    const response = await fetch(`${url}/ok/7?api_key=${planted}&page=2`, {
      headers: { 'x-forwarded-for': '203.0.113.9', 'user-agent': 'spec', 'x-request-id': 'request-1' },
    });
    const body = await response.text();
    expect(await logged('Request received')).toMatchObject({ level: 'debug', method: 'GET', request_id: 'request-1' });
    expect(await logged('in the handler')).toMatchObject({ request_id: 'request-1', user_id: 'u1', logger: 'Fixture' });
    expect(await logged('Request completed')).toMatchObject({
      level: 'info',
      method: 'GET',
      url: '/ok/7?api_key=[redacted]&page=2',
      route: '/ok/:id',
      status_code: 200,
      duration_ms: expect.any(Number),
      response_size: body.length,
      client_ip: '203.0.113.9',
      user_agent: 'spec',
      request_id: 'request-1',
      user_id: 'u1',
    });
    expect(lines.filter(({ logger: name }) => name === 'AccessLog')).toHaveLength(2);
  });

  it('C3: a client that goes away before the answer is logged', async () => {
    const controller = new AbortController();
    const answer = fetch(`${url}/slow`, { signal: controller.signal }).catch(() => undefined);
    await logged('Request received');
    controller.abort();
    await answer;
    expect(await logged('Request failed')).toMatchObject({ level: 'warn', status_code: 499, route: '/slow' });
  });

  it('C3: a client that is gone before its request is read has no address, is logged, and ends nothing', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write('GET /slow HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n');
      socket.resetAndDestroy();
    });
    const line = await logged('Request failed');
    expect(line).toMatchObject({ level: 'warn', status_code: 499, route: '/slow' });
    expect(line).not.toHaveProperty('client_ip');
  });

  it('C5, I4: our own fault is a 500 that names only the request; the log has the cause and no secret', async () => {
    const response = await fetch(`${url}/broken?token=${planted}`, {
      headers: { cookie: planted, authorization: planted },
    });
    const body = await response.text();
    const id = response.headers.get('x-request-id');
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      type: 'urn:eyrie:problem:internal-error',
      title: 'Internal Server Error',
      status: 500,
      instance: `urn:eyrie:request:${id}`,
    });
    expect(await logged('Request failed')).toMatchObject({ level: 'error', status_code: 500 });
    expect(await logged('GET /broken failed')).toMatchObject({
      level: 'error',
      request_id: id,
      error: { message: 'cannot connect to postgres://[redacted]@db/eyrie', cause: { message: 'the cause' } },
    });
    expect(JSON.stringify(lines)).not.toContain(planted);
  });

  it('I4: an answer that cannot be sent is our own fault too', async () => {
    const response = await fetch(`${url}/unsendable`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ type: 'urn:eyrie:problem:internal-error' });
    expect(await logged('GET /unsendable failed')).toMatchObject({ level: 'error' });
  });

  it('I4: a problem is answered as it was thrown', async () => {
    const response = await fetch(`${url}/refused`);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual({
      type: 'urn:eyrie:problem:already-expired',
      title: 'Too late',
      status: 409,
      detail: 'Make a new one.',
      instance: `urn:eyrie:request:${response.headers.get('x-request-id')}`,
    });
  });

  it('H9: below /api/v2 an error is a bare JSON string', async () => {
    const response = await fetch(`${url}/api/v2/refused`);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toBe('Nothing was stored: /0/labels: empty');
    expect(await (await fetch(`${url}/api/v2/nest`)).json()).toBe('Bad Request: bad matcher');
    expect(await (await fetch(`${url}/api/v2/nowhere`)).json()).toMatch(/^Not Found/);
  });

  it('I4: an answer that fails half way is broken off, not completed', async () => {
    await expect(fetch(`${url}/half`).then((response) => response.text())).rejects.toThrow();
  });

  it('H2: a body that the schema refuses is a 400 with every fault and its place', async () => {
    const faulty = [{ name: '' }, { name: 1, 'a/b': 1 }];
    const response = await post('/widgets', JSON.stringify(faulty));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'urn:eyrie:problem:invalid-request',
      errors: [
        { pointer: '/0/name', detail: expect.stringContaining('Too small') },
        { pointer: '/1/name', detail: expect.stringContaining('expected string') },
        { pointer: '/1/a~1b', detail: 'Unknown field' },
      ],
    });
    expect(await (await post('/either', '{"one":{}}')).json()).toMatchObject({ errors: [{ pointer: '/one/name' }] });
    expect(await (await post('/either', '[1]')).json()).toMatchObject({ errors: [{ pointer: '/0' }] });
    const many = (await (await post('/widgets', JSON.stringify(Array(500).fill(0)))).json()) as {
      errors: [];
      detail: string;
    };
    expect(many.errors).toHaveLength(100);
    expect(many.detail).toBe('The first 100 of 500 faults are listed.');
    expect(await (await fetch(`${url}/query?limit=11`)).json()).toMatchObject({ errors: [{ pointer: '/limit' }] });
  });

  it.each<[string, number, string | Uint8Array<ArrayBuffer>, string?]>([
    ['malformed-json', 400, '{'],
    ['malformed-json', 400, '{"a":"\u0000"}'],
    ['invalid-utf8', 400, Uint8Array.of(0x22, 0xff, 0x22)],
    ['empty-body', 400, ''],
    ['nested-too-deep', 400, '['.repeat(500_000) + ']'.repeat(500_000)],
    ['forbidden-key', 400, '{"__proto__":{}}'],
    ['content-too-large', 413, `"${'x'.repeat(2 * 2 ** 20)}"`],
    ['unsupported-media-type', 415, 'a=b', 'application/x-www-form-urlencoded'],
    ['unsupported-media-type', 415, '{}', 'text/plain'],
    ['unsupported-media-type', 415, '{}', 'application/xml'],
    ['unsupported-media-type', 415, '{}', 'nonsense'],
  ])('B3: a hostile body is answered with %s, %i (%#)', async (slug, status, body, type = 'application/json') => {
    const response = await post('/echo', body, { 'content-type': type });
    const problem = (await response.json()) as { type: string; detail?: string };
    expect([response.status, problem.type.replace('payload', 'content')]).toEqual([
      status,
      `urn:eyrie:problem:${slug}`,
    ]);
    expect(response.headers.get('x-request-id')).toMatch(uuid);
  });

  it('B3: takes JSON under its other names', async () => {
    for (const type of ['application/json; charset=utf-8', 'application/problem+json', 'APPLICATION/JSON']) {
      expect(await (await post('/echo', '{"a":[1,"é"]}', { 'content-type': type })).json()).toEqual({
        body: { a: [1, 'é'] },
      });
    }
  });

  it.each([
    ['GARBAGE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('C2: what is not even HTTP gets a problem and a request id (%#)', async (raw, status) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(raw);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/X-Request-ID: [0-9a-f-]{36}\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status });
  });

  it('B3: the limits of the settings are those of the server', () => {
    expect(app.getHttpServer()).toMatchObject({
      headersTimeout: 15_000,
      requestTimeout: 120_000,
      keepAliveTimeout: 72_000,
      maxConnections: 10_000,
    });
  });

  it('I4: answers only the web origins that are listed', async () => {
    const open = await start({ CORS_ORIGINS: 'https://console.example.org' });
    const ask = async (origin: string) =>
      (await fetch(`${open.url}/ok/1`, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await ask('https://console.example.org')).toBe('https://console.example.org');
    expect(await ask('https://evil.example.org')).toBeNull();
    const headers = { origin: 'https://console.example.org', 'access-control-request-method': 'PUT' };
    const preflight = await fetch(`${open.url}/ok/1`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('x-request-id')).toMatch(uuid);
    expect((await fetch(`${url}/ok/1`, { headers })).headers.get('access-control-allow-origin')).toBeNull();
    await open.app.close();
  });

  it('H2: serves its description at /docs and /docs-json', async () => {
    const page = await fetch(`${url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self';.*script-src 'self';/);
    expect(page.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
    expect(page.headers.get('x-xss-protection')).toBe('0');
    expect(await page.text()).toContain('swagger-ui');
    expect((await fetch(`${url}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    const document = (await (await fetch(`${url}/docs-json`)).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/ok/{id}', '/widgets']));
    expect(Object.keys(document.paths)).not.toContain('/health/live');
    expect(schemaOf(z.object({ at: z.string().nullable() }))).toMatchObject({
      type: 'object',
      properties: { at: { type: 'string', nullable: true } },
    });
  });

  it('A4: production refuses a wildcard CORS origin, and nonsense is refused everywhere', () => {
    expect(() => settings({ CORS_ORIGINS: '*' }, 'production')).toThrow(/CORS_ORIGINS/);
    expect(settings({ CORS_ORIGINS: '*' }).corsOrigins).toEqual(['*']);
    expect(() => settings({ CORS_ORIGINS: 'console.example.org/x', TRUST_PROXY: '10.0.0.0/99' })).toThrow(
      /CORS_ORIGINS[\s\S]*TRUST_PROXY|TRUST_PROXY[\s\S]*CORS_ORIGINS/,
    );
  });
});
