/** Live events: from a commit, of an api or of the worker, to the WebSockets of two api processes. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { type Cleanup, freePort, Program } from '../../harness/processes.ts';
import { startProduct } from '../../harness/product.ts';
import type { Row } from '../report.ts';
import { percentile } from '../statistics.ts';
import type { LiveReply, LiveRequest, Received } from './orders.ts';

const CLIENTS = 1_000;
const PER_SECOND = 10;
const LIMIT_MS = 100;
/** How long an alert fires until its time is up, which the worker finds out. */
const FIRES_FOR_MS = 1_500;
const DRAIN_MS = 5_000;

/** Each alert is told at once and again when its time is up: by the way of the worker, whose flush ends it. */
const CONFIG = `route: { receiver: nobody, group_by: ['...'], group_wait: 0s, group_interval: 1s }
receivers: [{ name: nobody }]
`;

export async function runLive(
  database: DatabaseServer,
  directory: string,
  { seconds }: { seconds: number },
  cleanup: Cleanup,
): Promise<Row[]> {
  const folder = join(directory, 'live');
  await mkdir(folder, { recursive: true });
  const alertsConfig = join(folder, 'alertmanager.yml');
  await writeFile(alertsConfig, CONFIG);
  const redis = await startRedis(folder, cleanup);
  const settings = { DRAIN_DELAY: '0s', RATE_LIMIT_API: 'none', ...(redis && { REDIS_URL: redis }) };
  const databaseUrl = await database.createDatabase('live_bench');
  const { apis, ingestKey, operatorKey } = await startProduct(
    { name: 'live', databaseUrl, alertsConfig, directory: folder, environment: 'production', apis: 2, settings },
    cleanup,
  );
  const urls = apis.map(({ url }) => url);
  const ask = startClients(cleanup);
  await ask({ connect: { urls, count: CLIENTS, key: operatorKey } });

  const round = async (length: number): Promise<{ sent: number; received: Received }> => {
    const sent = await raise(urls, ingestKey, length);
    await sleep(FIRES_FOR_MS + DRAIN_MS);
    const reply = await ask({ collect: true });
    return { sent, received: (reply as { received: Received }).received };
  };
  await round(1);
  const { sent, received } = await round(seconds);
  const remark = redis ? undefined : 'without Redis, which is not installed: events wait to be looked for';
  return [
    ['alert.fired', `an api's commit to ${CLIENTS.toLocaleString('en')} WebSockets on two apis`],
    ['alert.expired', `a worker's commit to them`],
  ].flatMap(([type, name]) => rowsOf(name!, received.latencies[type!] ?? [], sent * CLIENTS, received.lost, remark));
}

function rowsOf(name: string, latencies: number[], wanted: number, lost: number, remark: string | undefined): Row[] {
  const missing = wanted - latencies.length;
  const faults = [missing === 0 ? undefined : `${missing} of ${wanted} missing`, lost > 0 ? `${lost} lost` : undefined];
  const told = [...faults, remark].filter((each) => each !== undefined).join(', ');
  return [0.5, 0.99].map((share) => {
    const figure = percentile(latencies, share);
    const limited = share === 0.99;
    const complete = missing === 0 && lost === 0;
    return {
      name: `${name}, p${share * 100}`,
      unit: 'ms',
      eyrie: figure,
      target: limited ? `≤ ${LIMIT_MS} ms` : 'nothing missing',
      passed: complete && (!limited || figure <= LIMIT_MS),
      ...(told && { remark: told }),
    };
  });
}

/** New alerts one after the other at a fixed rate, to the apis in turn; how many. */
async function raise(urls: readonly string[], key: string, seconds: number): Promise<number> {
  const count = seconds * PER_SECOND;
  const started = performance.now();
  const run = Date.now();
  const answers: Promise<void>[] = [];
  for (let sent = 0; sent < count; sent++) {
    const wait = started + (sent * 1_000) / PER_SECOND - performance.now();
    if (wait > 0) await sleep(wait);
    answers.push(post(urls[sent % urls.length]!, key, { alertname: 'Live', run: String(run), number: String(sent) }));
  }
  await Promise.all(answers);
  return count;
}

async function post(url: string, key: string, labels: Record<string, string>): Promise<void> {
  const endsAt = new Date(Date.now() + FIRES_FOR_MS).toISOString();
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify([{ labels, endsAt }]),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`an alert was answered with ${response.status}: ${text.slice(0, 300)}`);
}

function startClients(cleanup: Cleanup): (request: LiveRequest) => Promise<LiveReply> {
  const child = fork(fileURLToPath(new URL('clients.ts', import.meta.url)), { execArgv: [] });
  cleanup.add('the WebSockets', () => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`the process with the WebSockets ended with status ${status}`);
  });
  ended.catch(() => undefined);
  return async (request) => {
    const answered = once(child, 'message').then(([reply]) => reply as LiveReply);
    child.send(request);
    return Promise.race([answered, ended]);
  };
}

/** The address of a Redis of our own; undefined where it is not installed. */
async function startRedis(directory: string, cleanup: Cleanup): Promise<string | undefined> {
  const command = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (!command) return undefined;
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory];
  const program = new Program({ name: 'redis', command, args, logDirectory: directory });
  cleanup.add('Redis', () => program.stop());
  program.spawn();
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    const socket = connect(port, '127.0.0.1');
    const [open] = await Promise.race([
      once(socket, 'connect').then(() => [true]),
      once(socket, 'close').then(() => [false]),
    ]).catch(() => [false]);
    socket.destroy();
    if (open) return `redis://127.0.0.1:${port}`;
  }
  throw new Error(`${command} does not answer\n${program.logTail()}`);
}
