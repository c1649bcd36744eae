/** What Nginx says: headers, redirects, errors, caching, compression, the log, with the limits of every installation. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { eventually } from '../../harness/eventually.ts';
import { ask, askHttp2, exchange, openWebSocket } from './client.ts';
import type { Promises } from './promises.ts';
import type { Site } from './site.ts';

/** On every answer over TLS, once. */
const everywhere = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

export async function answers(site: Site, promises: Promises): Promise<void> {
  const { http, https } = site.ports;
  const get = (path: string, headers?: Record<string, string>) => ask({ port: https, path, headers });

  await promises.keep('L2: every answer has the security headers once, those of the api and of Nginx', async () => {
    const tooLarge = { port: https, method: 'POST', path: '/api/v1/alerts', body: Buffer.alloc(2 ** 21 + 1) };
    const paths = ['/', '/?status=404', '/?status=500', '/ws', '/static/app.js', '/health', '/metrics'];
    const all = [...(await Promise.all(paths.map((path) => get(path)))), await ask(tooLarge)];
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 404, 500, 200, 200, 200, 404, 413],
    );
    for (const [index, answer] of all.entries()) {
      for (const [name, value] of Object.entries(everywhere)) {
        assert.deepEqual(answer.all(name), [value], `${name} of ${paths[index] ?? 'a body that is too large'}`);
      }
      for (const name of [
        'content-security-policy',
        'cross-origin-resource-policy',
        'x-request-id',
        'permissions-policy',
      ]) {
        assert.equal(answer.all(name).length, 1, `${name} of ${paths[index] ?? 'a body that is too large'}`);
      }
      assert.equal(answer.headers.server, 'nginx', 'no version');
    }
    assert.equal(all[0]!.headers['content-security-policy'], "default-src 'self'", 'the api owns it');
    assert.match(
      String(all[6]!.headers['content-security-policy']),
      /default-src 'none'/,
      'on an answer of Nginx itself',
    );
  });

  await promises.keep('L2: HTTP is redirected to HTTPS with method and query; ACME challenges are not', async () => {
    for (const method of ['GET', 'POST']) {
      const answer = await ask({ port: http, plain: true, method, path: '/api/v1/alerts?a=b' });
      assert.equal(answer.status, 308);
      assert.equal(answer.headers.location, `https://localhost:${https}/api/v1/alerts?a=b`);
      assert.deepEqual(answer.all('strict-transport-security'), [], 'not over plain HTTP');
    }
    await mkdir(join(site.directory, 'acme/.well-known/acme-challenge'), { recursive: true });
    await writeFile(join(site.directory, 'acme/.well-known/acme-challenge/token'), 'token.key');
    const challenge = await ask({ port: http, plain: true, path: '/.well-known/acme-challenge/token' });
    assert.deepEqual([challenge.status, challenge.body], [200, 'token.key']);
    const plainOnTls = await ask({ port: https, plain: true, path: '/x' });
    assert.deepEqual([plainOnTls.status, plainOnTls.headers.location], [308, `https://localhost:${https}/x`]);
  });

  await promises.keep('L2: TLS 1.2 and 1.3 with forward secrecy only, and HTTP/2', async () => {
    const { status, protocol } = await askHttp2(https, '/');
    assert.deepEqual([status, protocol], [200, 'h2']);
    assert.equal(await handshake(https, '-tls1_3'), true);
    assert.equal(await handshake(https, '-tls1_2'), true);
    assert.equal(await handshake(https, '-tls1_1'), false);
    // Which OpenSSL might refuse by itself
    assert.match((await site.nginx('nginx', '-T')).stdout, /ssl_protocols TLSv1\.2 TLSv1\.3;/);
    assert.equal(await handshake(https, '-tls1_2', 'AES128-GCM-SHA256'), false, 'without forward secrecy');
  });

  await promises.keep('L2: a request for an unknown host gets no answer, or 421', async () => {
    const nothing = { code: 'ECONNRESET' };
    await assert.rejects(ask({ port: http, plain: true, headers: { Host: 'evil.example.org' } }), nothing);
    await assert.rejects(ask({ port: https, servername: 'evil.example.org' }), /unrecognized.name|alert|ECONNRESET/i);
    const other = await get('/', { Host: 'evil.example.org' });
    assert.equal(other.status, 421);
    assert.equal((JSON.parse(other.body) as { title: string }).title, 'Misdirected Request');
  });

  await promises.keep('L2: /metrics and /monitoring/metrics are not public, in whatever spelling', async () => {
    const spellings = [
      '/metrics',
      '/monitoring/metrics',
      '/metrics/',
      '/METRICS',
      '//metrics',
      '/%6detrics',
      '/x/../metrics',
      '/metrics?x',
    ];
    for (const path of spellings) {
      const answer = await get(path);
      assert.equal(answer.status, 404, path);
      assert.equal((JSON.parse(answer.body) as { type: string }).type, 'urn:eyrie:problem:not-found', path);
    }
    await assert.rejects(ask({ port: 8081, plain: true }), 'the port of /stub_status is not published');
    assert.match((await site.nginx('curl', '-s', 'http://127.0.0.1:8081/stub_status')).stdout, /Active connections/);
  });

  await promises.keep(
    "L2: Nginx' own errors are problems with the request id; below /api/v2 JSON strings",
    async () => {
      const body = Buffer.alloc(2 ** 21 + 1);
      const problem = await ask({ port: https, method: 'POST', path: '/api/v1/alerts', body });
      assert.equal(problem.headers['content-type'], 'application/problem+json');
      const id = String(problem.headers['x-request-id']);
      assert.deepEqual(JSON.parse(problem.body), {
        type: 'urn:eyrie:problem:content-too-large',
        title: 'Content Too Large',
        status: 413,
        detail: 'A body may have at most 2MiB.',
        instance: `urn:eyrie:request:${id}`,
      });
      const text = await ask({ port: https, method: 'POST', path: '/api/v2/alerts', body });
      assert.deepEqual([text.status, text.headers['content-type']], [413, 'application/json']);
      assert.equal(JSON.parse(text.body), 'Content Too Large: A body may have at most 2MiB.');
      const overHttp2 = await askHttp2(https, '/api/v2/alerts', body);
      assert.deepEqual([overHttp2.status, overHttp2.body], [413, text.body]);
      const whole = await ask({ port: https, method: 'POST', path: '/api/v1/alerts', body: Buffer.alloc(2 ** 21) });
      assert.deepEqual([whole.status, (JSON.parse(whole.body) as { received: number }).received], [200, 2 ** 21]);
      const headers = await get('/', { 'X-Much': 'x'.repeat(40_000) });
      assert.equal(headers.status, 431);
      assert.equal((JSON.parse(headers.body) as { status: number }).status, 431);
    },
  );

  await promises.keep('L2: what the api answers is passed on as it is, its own errors too', async () => {
    const answer = await get('/?status=503');
    assert.deepEqual([answer.status, answer.all('retry-after')], [503, ['7']]);
    assert.equal((JSON.parse(answer.body) as { url: string }).url, '/?status=503');
  });

  await promises.keep('L2: gzip from 1024 bytes of text, JSON, JavaScript and XML', async () => {
    const encoding = { 'Accept-Encoding': 'gzip' };
    for (const type of [
      'application/json',
      'text/plain',
      'application/javascript',
      'text/xml',
      'application/problem+json',
    ]) {
      const long = await get(`/?size=2000&type=${encodeURIComponent(type)}`, encoding);
      assert.deepEqual([long.headers['content-encoding'], long.headers.vary], ['gzip', 'Accept-Encoding'], type);
      assert.equal(
        (JSON.parse(gunzipSync(Buffer.from(long.body, 'latin1')).toString()) as { filling: string }).filling.length,
        2000,
      );
    }
    assert.equal((await get('/?size=100', encoding)).headers['content-encoding'], undefined, 'short');
    assert.equal(
      (await get('/?size=2000&type=image/png', encoding)).headers['content-encoding'],
      undefined,
      'an image',
    );
  });

  await promises.keep('L2: files below /static/ are kept for a year, missing ones not at all', async () => {
    assert.deepEqual((await get('/static/app.js')).all('cache-control'), ['public, max-age=31536000, immutable']);
    assert.deepEqual((await get('/static/app.js?status=404')).all('cache-control'), ['no-store']);
    assert.deepEqual((await get('/other.js')).all('cache-control'), ['private']);
  });

  await promises.keep('L2: WebSockets on /ws, for a day of silence', async () => {
    const socket = await openWebSocket(https);
    assert.equal(await exchange(socket, 'there and back'), 'there and back');
    socket.destroy();
    await assert.rejects(openWebSocket(https, '/elsewhere'), /answered with 200/);
    const { stdout } = await site.nginx('nginx', '-T');
    assert.match(stdout, /location = \/ws \{\s+proxy_read_timeout 86400s;/);
  });

  await promises.keep(
    'L2: the access log is JSON with the request id, times, replica and TLS version, without queries; not of /health',
    async () => {
      const run = randomUUID();
      const answer = await get(`/logged-${run}?key=hidden-${run}`, { 'User-Agent': 'a "quoted" one' });
      await get(`/health/unlogged-${run}`);
      await get(`/healthy-${run}`);
      const [line] = await eventually(async () => {
        const lines = await site.accessLog(`/logged-${run}`);
        return lines.length > 0 && (await site.accessLog(`/healthy-${run}`)).length > 0 && lines;
      });
      const { request_id, method, status_code, tls_version, upstream_status, slot, user_agent, limit } = line!;
      assert.deepEqual(
        { request_id, method, status_code, tls_version, upstream_status, slot, user_agent, limit },
        {
          request_id: answer.headers['x-request-id'],
          method: 'GET',
          status_code: 200,
          tls_version: 'TLSv1.3',
          upstream_status: '200',
          slot: 'blue',
          user_agent: 'a "quoted" one',
          limit: 'PASSED',
        },
      );
      assert.match(String(line!.upstream), /^[\d.]+:3000$/);
      assert.ok(Number(line!.upstream_duration_s) >= 0 && typeof line!.duration_s === 'number');
      assert.deepEqual(await site.accessLog(`/health/unlogged-${run}`), []);
      assert.ok(!(await site.stack.logs('nginx')).includes(`hidden-${run}`));
    },
  );

  await promises.keep("C2: a stranger's X-Request-ID and X-Forwarded-For are not believed", async () => {
    const answer = await get('/', {
      'X-Request-ID': 'chosen-by-client',
      'X-Forwarded-For': '192.0.2.1',
      Forwarded: 'for=192.0.2.1',
    });
    const { headers } = JSON.parse(answer.body) as { headers: Record<string, string> };
    assert.match(headers['x-request-id']!, /^[0-9a-f]{32}$/);
    assert.equal(answer.headers['x-request-id'], headers['x-request-id']);
    assert.doesNotMatch(headers['x-forwarded-for']!, /192\.0\.2\.1/);
    assert.deepEqual(
      [headers.forwarded, headers['x-forwarded-proto'], headers.host],
      [undefined, 'https', 'localhost'],
    );
  });
}

/** Whether a handshake with these means succeeds, where the client allows whatever it can. */
function handshake(port: number, version: string, cipher = 'ALL'): Promise<boolean> {
  const args = [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-servername',
    'localhost',
    version,
    '-cipher',
    `${cipher}:@SECLEVEL=0`,
  ];
  return new Promise((resolve) => {
    const child = execFile('openssl', args, { timeout: 10_000 }, (error, stdout) =>
      resolve(!error && /Cipher is (?!\(NONE\))/.test(stdout)),
    );
    child.stdin?.end();
  });
}
