/**
 * Under steady load, on 200 connections that are kept open, processes come and go in every way that is meant to be
 * noticed by nobody: SIGHUP, recycling, and SIGTERM behind a balancer. No client and no balancer ever repeats a request.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeepAliveLoad } from '../../../libs/server/fixtures/cluster-load.ts';
import { DatabaseServer } from '../../harness/database-server.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Cleanup, openFolder, type Program } from '../../harness/processes.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import type { CheckResult } from '../checks.ts';
import { Balancer } from './balancer.ts';
import { childrenOf } from './children.ts';

const CONNECTIONS = 200;
/** Each connection rests so long between an answer and its next request: steady, not as much as there can be. */
const PAUSE_MS = 100;
const LIMIT_MS = 60_000;
const CHECKS = 3;

interface Surroundings {
  rounds: number;
  directory: string;
  alertsConfig: string;
  databaseUrl: string;
}

export async function processes({ rounds }: { rounds: number }, cleanup: Cleanup): Promise<CheckResult[]> {
  const directory = await openFolder('processes');
  const results: CheckResult[] = [];
  cleanup.add('its folder', async () => {
    const passed = results.length === CHECKS && results.every(({ faults }) => faults.length === 0);
    if (passed) await rm(directory, { recursive: true });
    else say(`logs: ${directory}`);
  });
  const alertsConfig = join(directory, 'alertmanager.yml');
  await writeFile(alertsConfig, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n');
  const database = await DatabaseServer.start(join(directory, 'postgres'));
  cleanup.add('PostgreSQL', () => database.stop());
  const surroundings = { rounds, directory, alertsConfig, databaseUrl: database.url };
  for (const check of [hangUps, recycling, terminations]) results.push(await check(surroundings, cleanup));
  return results;
}

/** SIGHUP replaces both processes, one by one. */
async function hangUps(surroundings: Surroundings, cleanup: Cleanup): Promise<CheckResult> {
  const product = await start('hup', surroundings, cleanup, { settings: { WEB_CONCURRENCY: '2' } });
  const { url, program } = product.apis[0]!;
  const { rounds } = surroundings;
  return underLoad(`SIGHUP ${rounds} times, two processes`, product, url, async () => {
    const primary = program.pid!;
    for (let round = 1; round <= rounds; round++) {
      const before = await eventually(() => both(primary), LIMIT_MS);
      process.kill(primary, 'SIGHUP');
      await eventually(() => both(primary)?.every((pid) => !before.includes(pid)), LIMIT_MS);
    }
  });
}

/** Each of two processes is replaced after about so many requests. */
async function recycling(surroundings: Surroundings, cleanup: Cleanup): Promise<CheckResult> {
  const settings = { WEB_CONCURRENCY: '2', MAX_REQUESTS: '2000', MAX_REQUESTS_JITTER: '500' };
  const product = await start('recycle', surroundings, cleanup, { settings });
  const { url, program } = product.apis[0]!;
  const { rounds } = surroundings;
  return underLoad(`MAX_REQUESTS until ${rounds} processes were replaced`, product, url, async () => {
    const seen = new Set(await eventually(() => both(program.pid!), LIMIT_MS));
    const first = seen.size;
    for (let round = 1; round <= rounds; round++) {
      await eventually(() => {
        for (const pid of childrenOf(program.pid!)) seen.add(pid);
        return seen.size >= first + round;
      }, LIMIT_MS);
    }
    await eventually(() => both(program.pid!), LIMIT_MS);
  });
}

/** SIGTERM ends one of two behind a balancer, which is then started again; then it is the other's turn. */
async function terminations(surroundings: Surroundings, cleanup: Cleanup): Promise<CheckResult> {
  const product = await start('term', surroundings, cleanup, { apis: 2, settings: { DRAIN_DELAY: '2s' } });
  const balancer = new Balancer(product.apis.map(({ url }) => url));
  cleanup.add('the balancer', () => balancer.close());
  const { rounds } = surroundings;
  return underLoad(`SIGTERM ${rounds} times, one of two`, product, await balancer.listen(), async () => {
    for (let round = 0; round < rounds; round++) {
      const { program, url } = product.apis[round % 2]!;
      const { status, signal } = await program.stop(LIMIT_MS);
      if (status !== 0) throw new Error(`${program.name} ended with ${signal ?? `status ${status}`}`);
      await program.start(LIMIT_MS);
      await eventually(() => balancer.isReady(url), LIMIT_MS);
      await sleep(1_000);
    }
  });
}

interface Variant {
  apis?: number;
  settings: Record<string, string>;
}

function start(name: string, surroundings: Surroundings, cleanup: Cleanup, { apis, settings }: Variant) {
  const { directory, alertsConfig, databaseUrl } = surroundings;
  const limits = { RATE_LIMIT_API: 'none', DATABASE_POOL_MAX: '5' };
  const options = {
    name,
    databaseUrl,
    alertsConfig,
    directory,
    apis,
    workers: 0,
    settings: { ...limits, ...settings },
  };
  return startProduct(options, cleanup);
}

/** Does the work under load, then ends the apis: without a failed request, and each with status 0. */
async function underLoad(
  name: string,
  { apis, operatorKey }: Product,
  url: string,
  work: () => Promise<void>,
): Promise<CheckResult> {
  const headers = { authorization: `Bearer ${operatorKey}` };
  const load = new KeepAliveLoad({
    url: `${url}/api/v1/alerts?limit=10`,
    connections: CONNECTIONS,
    pauseMs: PAUSE_MS,
    headers,
  });
  const started = performance.now();
  const faults = await work().then(
    () => [],
    (error: unknown) => [String(error)],
  );
  await load.stop();
  const seconds = (performance.now() - started) / 1_000;
  const rate = Math.round(load.requests / seconds);
  say(`${name}: ${load.requests} requests in ${Math.round(seconds)} s (${rate}/s), ${load.failures.length} failed`);
  const ends = await Promise.all(apis.map(({ program }) => endOf(program)));
  return { name: `${name}: no failed request`, faults: [...faults, ...load.failures, ...ends.flat()] };
}

async function endOf(program: Program): Promise<string[]> {
  const { status, signal } = await program.stop(LIMIT_MS);
  return status === 0 ? [] : [`${program.name} ended with ${signal ?? `status ${status}`}\n${program.logTail(10)}`];
}

/** The two processes, if there are just two at the moment. */
function both(primary: number): number[] | undefined {
  const pids = childrenOf(primary);
  return pids.length === 2 ? pids : undefined;
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
