import { connect } from 'node:net';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BadRequestException, Body, Controller, Get, Logger, Module, Post, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthModule } from 'eyrie/health';
import { Lifecycle, LifecycleModule } from 'eyrie/lifecycle';
import { extendContext, LoggingModule } from 'eyrie/logging';
import { loadSettings } from 'eyrie/config';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { createServer, describeApi, Problem, schemaOf, serverSettings, ZodBody, ZodQuery } from './index.js';

type Line = Record<string, unknown>;

const planted = 'hunter2-Zq9';
const logger = new Logger('Fixture');
const widgets = z.array(z.strictObject({ name: z.string().min(1), size: z.int().optional() }));
const either = z.union([z.object({ one: z.object({ name: z.string() }) }), z.array(z.string())]);

@Controller()
class FixtureController {
  @Get('ok/:id')
  ok() {
    extendContext({ userId: 'u1' });
    logger.log('in the handler');
    return { ok: true };
  }

  @Get('broken')
  broken() {
    throw new Error(`cannot connect to postgres://eyrie:${planted}@db/eyrie`, { cause: new Error('the cause') });
  }

  @Get('half')
  half(@Res() reply: FastifyReply) {
    reply.raw.writeHead(200);
    reply.raw.write('half');
    throw new Error('too late');
  }

  @Get('slow')
  async slow() {
    await sleep(400);
    return { slow: true };
  }

  @Get('endless')
  endless() {
    return new Promise(() => undefined);
  }

  @Get('refused')
  refused() {
    throw new Problem(409, 'already-expired', 'Too late', {
      detail: 'Make a new one.',
      headers: { 'Retry-After': '7' },
    });
  }

  @Post('echo')
  echo(@Body() body: unknown) {
    return { body };
  }

  @Post('widgets')
  widgets(@ZodBody(widgets) body: z.output<typeof widgets>) {
    return { count: body.length };
  }

  @Post('either')
  either(@ZodBody(either) body: z.output<typeof either>) {
    return { body };
  }

  @Get('query')
  query(@ZodQuery(z.object({ limit: z.coerce.number().int().max(10) })) query: object) {
    return query;
  }

  @Get('api/v2/refused')
  alertmanagerRefused() {
    throw new Problem(400, 'invalid-alert', 'Nothing was stored', {
      errors: [{ pointer: '/0/labels', detail: 'empty' }],
    });
  }

  @Get('api/v2/nest')
  alertmanagerNest() {
    throw new BadRequestException('bad matcher');
  }
}

const lines: Line[] = [];
const output = { write: (line: string) => void lines.push(JSON.parse(line) as Line), flushSync: () => undefined };

function settings(env: Record<string, string> = {}, environment = 'test') {
  return loadSettings({ server: serverSettings }, { env: { ENVIRONMENT: environment, ...env }, cwd: '/' }).server;
}

async function start(env: Record<string, string> = {}): Promise<{ app: NestFastifyApplication; url: string }> {
  @Module({
    imports: [
      LoggingModule.forRoot({
        level: 'debug',
        format: 'json',
        service: 't',
        version: '1',
        environment: 'test',
        output,
      }),
      LifecycleModule.forRoot({ drainDelayMs: 0, shutdownTimeoutMs: 5_000 }),
      HealthModule.forRoot(),
    ],
    controllers: [FixtureController],
  })
  class App {}
  const app = await createServer(App, settings(env));
  describeApi(app, { title: 'Fixture', version: '1' });
  await app.listen(0, '127.0.0.1');
  app.get(Lifecycle).ready();
  return { app, url: await app.getUrl() };
}

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
  for (;;) {
    const line = lines.find((each) => each.message === message);
    if (line) return line;
    await sleep(5);
  }
}

describe('createServer', () => {
  it.each([
    ['/ok/1', 200],
    ['/nowhere', 404],
    ['/broken', 500],
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
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
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

describe('closing', () => {
  it('G1: while it drains it serves, readiness is 503, and connections close as they fall idle', async () => {
    const { app: closing, url: base } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = async (path: string) => {
      const [response] = (await once(httpRequest(base + path, { agent }).end(), 'response')) as [IncomingMessage];
      return { status: response.statusCode, connection: response.headers.connection, body: await text(response) };
    };
    expect(await get('/health/ready')).toMatchObject({ status: 200, connection: 'keep-alive' });
    closing.get(Lifecycle).drain();
    expect(await get('/health/ready')).toMatchObject({ status: 503, connection: 'close' });
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/health/startup')).status).toBe(200);
    expect(await get('/ok/1')).toMatchObject({ status: 200, connection: 'close' });
    const slow = get('/slow');
    await sleep(50);
    const idle = connect(Number(new URL(base).port), '127.0.0.1');
    await once(idle, 'connect');
    const started = performance.now();
    await closing.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await slow).toMatchObject({ status: 200, body: '{"slow":true}' });
    expect(closing.get(Lifecycle).state).toBe('stopped');
    idle.destroy();
    agent.destroy();
  });

  it('G1: a request that never ends does not keep the stops from running', async () => {
    const { app: closing, url: base } = await start({ REQUEST_DRAIN_TIMEOUT: '200ms' });
    const stopped: string[] = [];
    closing.get(Lifecycle).onStop('database', () => void stopped.push('database'));
    const endless = fetch(`${base}/endless`).then(
      () => 'answered',
      () => 'cut off',
    );
    await sleep(50);
    await closing.close();
    expect(await endless).toBe('cut off');
    expect(stopped).toEqual(['database']);
  });

  it('B3: under overload it answers 503 with Retry-After, but answers probes', async () => {
    const { app: busy, url: base } = await start({ OVERLOAD_DELAY: '20ms' });
    const block = setInterval(() => {
      const until = performance.now() + 120;
      while (performance.now() < until);
    }, 1);
    let refused: Response | undefined;
    for (let tries = 0; tries < 40 && refused?.status !== 503; tries += 1) refused = await fetch(`${base}/ok/1`);
    const probe = await fetch(`${base}/health/live`);
    clearInterval(block);
    expect(refused?.status).toBe(503);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(probe.status).toBe(200);
    await sleep(600);
    expect((await fetch(`${base}/ok/1`)).status).toBe(200);
    await busy.close();
  }, 30_000);
});
