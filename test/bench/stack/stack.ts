/** What everything around the code costs: the same two routes on bare Nest and Fastify, and in an app of this product. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { type Cleanup, freePort, Program } from '../../harness/processes.ts';
import { WARM_UP_SECONDS } from '../cases.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const CONNECTIONS = 32;
const ROWS = 10_000;

const CASES = [
  { name: 'a row by its key, beside bare Nest and Fastify', path: '/bench/rows/4711', atLeast: 0.75 },
  { name: 'a trivial route, beside bare Nest and Fastify', path: '/bench/trivial', atLeast: 0.5 },
];

export interface StackPace {
  rounds: number;
  seconds: number;
}

export async function runStack(
  database: DatabaseServer,
  directory: string,
  { rounds, seconds }: StackPace,
  cleanup: Cleanup,
): Promise<Row[]> {
  const databaseUrl = await database.createDatabase('stack_bench');
  await database.query(
    databaseUrl,
    `CREATE TABLE bench_rows AS SELECT id, 'row ' || id AS name, id * 3 AS amount FROM generate_series(1, ${ROWS}) AS id`,
    'ALTER TABLE bench_rows ADD PRIMARY KEY (id)',
    'ANALYZE bench_rows',
  );
  const bare = await start('bare', directory, databaseUrl, cleanup);
  const full = await start('full', directory, databaseUrl, cleanup);
  const rows: Row[] = [];
  for (const { name, path, atLeast } of CASES) {
    const results = new Map([bare, full].map((url) => [url, [] as number[]]));
    for (const url of [bare, full]) await load(url + path, WARM_UP_SECONDS);
    for (let round = 0; round < rounds; round++) {
      for (const url of round % 2 === 0 ? [bare, full] : [full, bare]) {
        results.get(url)!.push(await load(url + path, seconds));
        await sleep(300);
      }
    }
    const [peer, eyrie] = [median(results.get(bare)!), median(results.get(full)!)];
    const ratio = eyrie / peer;
    rows.push({ name, unit: 'requests/s', peer, eyrie, ratio, target: `≥ ${atLeast}×`, passed: ratio >= atLeast });
  }
  return rows;
}

async function start(kind: 'bare' | 'full', directory: string, databaseUrl: string, cleanup: Cleanup): Promise<string> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...{ ENVIRONMENT: 'production', HOST: '127.0.0.1', PORT: port, DATABASE_URL: databaseUrl, DRAIN_DELAY: '0s' },
    ...{ LOG_LEVEL: 'info', LOG_FORMAT: 'json', METRICS_ENABLED: 'true' },
    ...{ TRACING_ENABLED: 'true', TRACE_SAMPLE_RATE: '0.01', TRACE_PROTOCOL: 'http' },
    OTEL_EXPORTER_OTLP_ENDPOINT: await collector(cleanup),
  };
  const program = new Program({
    name: `stack-${kind}`,
    command: process.execPath,
    args: [join(folder, `${kind}.ts`), ...(kind === 'bare' ? [port, databaseUrl] : [])],
    cwd: directory,
    logDirectory: directory,
    env: kind === 'bare' ? { NODE_ENV: 'production' } : env,
    readyUrl: `${url}/bench/trivial`,
  });
  cleanup.add(program.name, () => program.stop());
  await program.start();
  return url;
}

/** Takes spans, and forgets them. */
async function collector(cleanup: Cleanup): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add('the collector', () => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Requests a second; NaN, which passes nothing, if one of them failed. */
async function load(url: string, seconds: number): Promise<number> {
  const { requests, errors, non2xx } = await autocannon({ url, connections: CONNECTIONS, duration: seconds });
  return errors + non2xx > 0 ? NaN : requests.average;
}
