/** lib/sample.mjs and lib/smoke.mjs, run as they are run in a replica, against servers that answer well and badly. */
import { afterEach, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCRIPTS } from './sandbox.js';

const KEY = 'an-operator-key-0123456789';
const servers: Server[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as { port: number }).port;
}

async function run(script: string, env: Record<string, string>) {
  const input = openSync(join(SCRIPTS, 'lib', script), 'r');
  const child = spawn(process.execPath, ['--input-type=module', '-'], { env, stdio: [input, 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text: Buffer) => (output.stdout += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (output.stderr += text.toString()));
  const [status] = (await once(child, 'close')) as [number];
  return { status, ...output };
}

function secrets(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyrie-probes-'));
  folders.push(folder);
  writeFileSync(join(folder, 'operator_key'), `${KEY}\n`);
  return folder;
}

/** An api that is well, but for the answers given. */
async function smoke(strange: Record<string, [status: number, body: string]> = {}) {
  const right: Record<string, [number, string]> = {
    '/health/ready': [200, '{"status":"healthy"}'],
    '/api/v1/alerts?limit=1': [200, '{"items":[]}'],
    '/api/v2/status': [200, '{"config":{"original":""}}'],
    '/monitoring/info': [200, '{"version":"1.2.3"}'],
  };
  const port = await listen((request, response) => {
    const known = request.headers.authorization === `Bearer ${KEY}`;
    const [status, body] = known ? ({ ...right, ...strange }[request.url!] ?? [404, '{}']) : [401, '{}'];
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  return run('smoke.mjs', { PORT: String(port), SECRETS_DIR: secrets() });
}

it('O1: the smoke test prints the version of a replica that answers rightly', async () => {
  expect(await smoke()).toEqual({ status: 0, stdout: '1.2.3\n', stderr: '' });
});

it.each([
  ['/health/ready', 503, '{}', 'GET /health/ready answered 503'],
  ['/api/v1/alerts?limit=1', 500, '{}', 'GET /api/v1/alerts?limit=1 answered 500'],
  ['/api/v1/alerts?limit=1', 200, 'null', '/api/v1/alerts did not answer with a page of alerts'],
  ['/api/v2/status', 200, '<html>', 'GET /api/v2/status did not answer with JSON'],
  ['/api/v2/status', 200, '{}', '/api/v2/status did not answer with a configuration'],
])('O1: the smoke test fails where %s answers %i %s', async (path, status, body, line) => {
  expect(await smoke({ [path]: [status, body] })).toEqual({ status: 1, stdout: '', stderr: `${line}\n` });
});

it('O1: the smoke test waits its turn where others use up the rate of the key', async () => {
  let asked = 0;
  const port = await listen((request, response) => {
    asked += 1;
    if (asked < 4) return response.writeHead(429).end('{}');
    return response.writeHead(200).end('{"config":{},"version":"1.2.3"}');
  });
  expect(await run('smoke.mjs', { PORT: String(port), SECRETS_DIR: secrets() })).toMatchObject({
    status: 0,
    stdout: '1.2.3\n',
  });
});

it('O1: the smoke test fails without a key, and never shows it', async () => {
  const port = await listen((_, response) => response.writeHead(200).end('{}'));
  const outcome = await run('smoke.mjs', { PORT: String(port), SECRETS_DIR: tmpdir() });
  expect(outcome.status).not.toBe(0);
  expect(outcome.stderr).toContain('no operator key');
  const failed = await smoke({ '/health/ready': [500, '{}'] });
  expect(`${failed.stdout}${failed.stderr}`).not.toContain(KEY);
});

it('O3: a sample counts real requests and their latency, without probes, scrapes and WebSockets', async () => {
  const text = `# HELP http_requests_total x
http_requests_total{method="GET",endpoint="/api/v1/alerts",status_code="200",app="api"} 90
http_requests_total{method="POST",endpoint="/api/v1/alerts",status_code="500"} 7
http_requests_total{method="GET",endpoint="/api/v1/alerts/:id",status_code="503"} 3
http_requests_total{method="GET",endpoint="/health/ready",status_code="503"} 1000
http_requests_total{method="GET",endpoint="/ws",status_code="101"} 20
http_requests_total{method="GET",endpoint="/metrics",status_code="200"} 20
http_requests_total{method="GET",endpoint="/monitoring/info",status_code="500"} 20
http_request_duration_seconds_bucket{le="0.1",method="GET",endpoint="/api/v1/alerts"} 80 # {trace_id="x"} 0.05 1.5e9
http_request_duration_seconds_bucket{le="+Inf",method="GET",endpoint="/api/v1/alerts"} 90
http_request_duration_seconds_bucket{le="0.1",method="GET",endpoint="/health/ready"} 1000
http_request_duration_seconds_bucket{le="0.1",method="POST",endpoint="/api/v1/alerts"} 10
`;
  const port = await listen((_, response) => response.end(text));
  const { stdout } = await run('sample.mjs', { METRICS_PORT: String(port) });
  expect(stdout.trim().split('\n').sort()).toEqual(['errors 10', 'le +Inf 90', 'le 0.1 90', 'requests 100']);
});
