/**
 * npm run bench [-- resent new single crowd latency flat page stack footprint live login isolation storm] [--short] [--json]
 *
 * Eyrie beside Alertmanager, and its stack beside bare Nest and Fastify, on this machine, in one run, with the same
 * client: medians, ratios, targets. Without names all cases run. Ends with status 1 when a target is missed.
 */
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DatabaseServer } from '../harness/database-server.ts';
import { type Cleanup, openFolder, withCleanup } from '../harness/processes.ts';
import { INGEST_CASES, type Pace, runIngest, runLatency } from './cases.ts';
import { type ClientProcess, startClient } from './client-process.ts';
import { runProbes, runStartUp } from './footprint.ts';
import { runIsolation } from './isolation.ts';
import { runLive } from './live/live.ts';
import { runLogin } from './login.ts';
import { timePages } from './page-time.ts';
import { seedPast, settle } from './past.ts';
import { renderTable, type Row } from './report.ts';
import { type EyrieSide, type Side, startBareHub, startEyrie, startPeer, writeConfig } from './sides.ts';
import { runStack } from './stack/stack.ts';
import { runStorm } from './storm.ts';

/** Cases with processes of their own, and how many seconds each part of them takes. */
const OWN_CASES = {
  live: { title: 'live events', run: runLive, seconds: { full: 15, short: 5 } },
  login: { title: 'logins', run: runLogin, seconds: { full: 15, short: 5 } },
  isolation: { title: 'receivers that hang, fail and refuse', run: runIsolation, seconds: { full: 15, short: 5 } },
  storm: { title: 'a storm of alerts', run: runStorm, seconds: { full: 60, short: 15 } },
};
const OWN = Object.keys(OWN_CASES) as (keyof typeof OWN_CASES)[];
const BESIDE_PEERS = ['resent', 'new', 'single', 'crowd', 'latency', 'flat', 'page', 'stack', 'footprint'] as const;
const NAMES = [...BESIDE_PEERS, ...OWN];
type Name = (typeof NAMES)[number];

const FULL: Pace = { rounds: 5, ingestSeconds: 3, latencyRounds: 3, latencySeconds: 6, pastAlerts: 1_000_000 };
const SHORT: Pace = { rounds: 3, ingestSeconds: 1, latencyRounds: 1, latencySeconds: 2, pastAlerts: 200_000 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !NAMES.includes(name as Name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; the cases are ${NAMES.join(', ')}\n`);
  process.exit(2);
}
const chosen = new Set<Name>(positionals.length > 0 ? (positionals as Name[]) : NAMES);
const pace = options.short ? SHORT : FULL;

const rows = await withCleanup(bench);
process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : `\n${renderTable(rows)}\n`);
process.exitCode = rows.some(({ passed }) => passed === false) ? 1 : 0;

async function bench(cleanup: Cleanup): Promise<Row[]> {
  const directory = await openFolder('bench');
  cleanup.add('its folder', () => rm(directory, { recursive: true, force: true }));
  const database = await DatabaseServer.start(join(directory, 'postgres'));
  cleanup.add('PostgreSQL', () => database.stop());
  progress(`Node ${process.versions.node}, ${cpus().length} CPUs; PostgreSQL with fsync; logs at level warn`);
  const rows = await withCleanup((own) => benchOwn(database, directory, own));
  if (BESIDE_PEERS.every((name) => !chosen.has(name))) return rows;
  return [...rows, ...(await benchBesidePeers(database, directory, cleanup))];
}

/** The processes of each are gone when the next begins. */
async function benchOwn(database: DatabaseServer, directory: string, cleanup: Cleanup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of OWN.filter((name) => chosen.has(name))) {
    const { title, run, seconds } = OWN_CASES[name];
    progress(title);
    rows.push(...(await run(database, directory, { seconds: options.short ? seconds.short : seconds.full }, cleanup)));
    await cleanup.run();
  }
  return rows;
}

interface Bench {
  client: ClientProcess;
  database: DatabaseServer;
  configFile: string;
  directory: string;
}

async function benchBesidePeers(database: DatabaseServer, directory: string, cleanup: Cleanup): Promise<Row[]> {
  const client = await startClient(cleanup);
  const configFile = await writeConfig(join(directory, 'config'), client.receiverUrl);

  const peer = await startPeer({ configFile, logDirectory: directory }, cleanup);
  progress(
    `Alertmanager: ${peer?.version ?? 'not available (neither on the PATH nor as an image of a Docker engine)'}`,
  );
  const eyrie = await startEyrie({ name: 'eyrie', database, configFile, directory }, cleanup);
  const bench: Bench = { client, database, configFile, directory };
  const rows = await withCleanup((own) => benchIngest(bench, { peer, eyrie }, own));
  if (chosen.has('latency')) {
    progress('POST to webhook');
    rows.push(...(await runLatency(client, { peer, eyrie }, pace)));
  }
  if (chosen.has('footprint')) {
    progress('start, memory, probes');
    rows.push(...(await runProbes(eyrie.api)));
    for (const app of [eyrie.api, eyrie.worker]) rows.push(...(await runStartUp(app, pace.rounds)));
  }
  if (chosen.has('stack')) {
    progress('the stack beside bare Nest and Fastify');
    const stackPace = { rounds: pace.rounds, seconds: pace.ingestSeconds };
    rows.push(...(await runStack(database, directory, stackPace, cleanup)));
  }
  return rows;
}

/** Leaves the peer and Eyrie at work, with nothing that runs beside them, and nothing that the disk still has to write. */
async function benchIngest(
  bench: Bench,
  { peer, eyrie }: { peer: Side | undefined; eyrie: EyrieSide },
  cleanup: Cleanup,
): Promise<Row[]> {
  const { client, database, directory } = bench;
  const withPast = chosen.has('flat') || chosen.has('page');
  const past = withPast ? await startEyrie({ name: 'eyrie_past', ...bench }, cleanup) : undefined;
  if (past) {
    progress(`writing ${pace.pastAlerts.toLocaleString('en')} past alerts`);
    await seedPast(database, past.databaseUrl, pace.pastAlerts);
  }

  const rows: Row[] = [];
  const flat = new Set<Name>(chosen.has('flat') ? ['resent', 'new'] : []);
  for (const name of ['resent', 'new'] as const) {
    if (!chosen.has(name) && !flat.has(name)) continue;
    progress(INGEST_CASES[name].name);
    const measured = { peer, eyrie, past: flat.has(name) ? past : undefined };
    rows.push(...(await runIngest(client, INGEST_CASES[name], measured, pace)));
  }
  // Before the alerts that were just sent end: then their groups would be flushed meanwhile.
  if (past && chosen.has('page')) {
    progress('pages of active alerts');
    // So that there are active ones, whatever else has run.
    await client.ingest({ target: past.target, batch: 256, connections: 4, fresh: false });
    const time = await timePages(database, past);
    const [name, target] = ['a page of 100 active alerts, in the database', '≤ 5 ms'];
    rows.push({ name, unit: 'ms', eyrie: time, target, passed: time <= 5 });
  }
  const single = (['single', 'crowd'] as const).filter((name) => chosen.has(name));
  const bare = single.length > 0 ? await startBareHub({ database, directory }, cleanup) : undefined;
  for (const name of single) {
    progress(INGEST_CASES[name].name);
    rows.push(...(await runIngest(client, INGEST_CASES[name], { peer, eyrie, bare }, pace)));
  }
  await cleanup.run();
  for (const side of [past, bare, eyrie]) if (side) await settle(database, side.databaseUrl);
  return rows;
}

function progress(sentence: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1_000)} s: ${sentence}\n`);
}
