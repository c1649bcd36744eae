import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../harness/eventually.js';
import { OtlpReceiver } from '../harness/otlp-receiver.js';
import { testDatabase, type TestDatabase } from '../harness/postgres.js';
import { freePort } from '../harness/processes.js';
import { Receiver } from '../harness/receiver.js';

const root = join(import.meta.dirname, '../..');
const key = 'ingest-key-of-the-specs';
const [traceId, caller] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
const START_LIMIT_MS = 30_000;

let database: TestDatabase;
let webhook: Receiver;
let collector: OtlpReceiver;
let directory: string;
let url: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  database = await testDatabase();
  webhook = await Receiver.start();
  collector = await OtlpReceiver.start('http');
  directory = await mkdtemp(join(tmpdir(), 'eyrie-trace-'));
  await writeFile(
    join(directory, 'alertmanager.yml'),
    `route: { receiver: team, group_by: ['...'], group_wait: 0s }
receivers: [{ name: team, webhook_configs: [{ url: '${webhook.url}' }] }]\n`,
  );
  [url] = await Promise.all([start('api', 'PORT'), start('worker', 'WORKER_PORT')]);
}, START_LIMIT_MS * 2);

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([webhook.close(), collector.close(), database.drop()]);
  await rm(directory, { recursive: true });
});

/** What Node is given to run an app: its sources, or with APPS=bundle, as in the drill `trace`, what was built of them. */
function programOf(app: string): string[] {
  if (process.env.APPS === 'bundle') return [join(root, `dist/bundle/${app}.js`)];
  const loader = join(root, 'libs/lifecycle/fixtures/typescript.mjs');
  return ['--conditions=source', '--import', loader, join(root, 'apps', app, 'src/main.ts')];
}

/** The real app in a process of its own: tracing has to be there before all else is loaded. */
async function start(app: string, portSetting: string): Promise<string> {
  const port = String(await freePort());
  const child = spawn(process.execPath, programOf(app), {
    cwd: directory,
    stdio: 'ignore',
    env: {
      ...{ PATH: process.env.PATH, ENVIRONMENT: 'test', LOG_LEVEL: 'fatal', HEALTH_ALERTS: 'false' },
      ...{ DATABASE_URL: database.url, ALERTS_CONFIG: 'alertmanager.yml', INGEST_KEY: key, [portSetting]: port },
      ...{ TRACING_ENABLED: 'true', TRACE_SAMPLE_RATE: '0', TRACE_PROTOCOL: 'http', OVERLOAD_DELAY: '0' },
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    },
  });
  running.push(child);
  const own = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${own}/health/ready`)).ok, START_LIMIT_MS);
  return own;
}

const raise = (name: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/alerts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name }),
  });
const told = (name: string) =>
  eventually(() => webhook.received.find(({ body }) => body.includes(`"alertname":"${name}"`)), 10_000);

describe('the trace of an alert', () => {
  it('E3: goes from the POST through PostgreSQL and the queue to the webhook, over two processes', async () => {
    expect((await raise('Traced', { traceparent: `00-${traceId}-${caller}-01` })).status).toBe(202);
    const { headers } = await told('Traced');
    expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));

    for (const child of running) child.kill('SIGTERM'); // which sends what is pending
    await Promise.all(running.map(async (child) => child.exitCode ?? (await once(child, 'exit'))));
    const spans = collector.trace(traceId);
    const named = (name: RegExp) => spans.find((span) => name.test(span.name))!;
    const [post, job] = [named(/^POST \/api\/v1\/alerts$/), named(/^job deliver-notification$/)];
    expect(post.parentSpanId).toBe(caller);
    const above = (span: { parentSpanId?: string }): typeof spans => {
      const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
      return parent ? [parent, ...above(parent)] : [];
    };
    expect(above(job)).toContain(post);
    const children = (parent: { spanId: string }) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
    // The webhook's own span is the parent that the receiver was told.
    expect(children(job).map(({ spanId }) => spanId)).toContain(headers.traceparent!.toString().split('-')[2]);
    expect(spans.filter(({ name }) => /^pg/.test(name)).length).toBeGreaterThan(0);
  });
});
