import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAlertmanager } from '../harness/alertmanager.ts';
import type { DatabaseServer } from '../harness/database-server.ts';
import { type Cleanup, freePort, Program } from '../harness/processes.ts';
import { startProduct } from '../harness/product.ts';
import type { Target } from './alerts.ts';
import type { Measured } from './footprint.ts';

const BARE_HUB = fileURLToPath(new URL('bare-hub.ts', import.meta.url));

/** One program under measurement. */
export interface Side {
  name: string;
  target: Target;
}

export interface StoringSide extends Side {
  databaseUrl: string;
}

export interface EyrieSide extends StoringSide {
  url: string;
  operatorKey: string;
  api: Measured;
  worker: Measured;
}

/**
 * The one configuration of all sides: groups as a team would have them, told at once, and a route of its own for the
 * alerts whose delivery is timed, each its own group. The group interval is longer than the whole bench, so that no
 * second flush of large groups falls into whatever is measured just then.
 */
export async function writeConfig(directory: string, receiverUrl: string): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const file = join(directory, 'alertmanager.yml');
  const text = `route:
  receiver: swallow
  group_by: [alertname, cluster]
  group_wait: 0s
  group_interval: 30m
  repeat_interval: 4h
  routes:
    - matchers: ['bench="latency"']
      receiver: timed
      group_by: ['...']
receivers:
  - name: swallow
    webhook_configs: [{ url: '${receiverUrl}/swallow' }]
  - name: timed
    webhook_configs: [{ url: '${receiverUrl}/latency' }]
`;
  await writeFile(file, text, { mode: 0o644 });
  return file;
}

/** Alertmanager, in memory, on this machine. Undefined where none is to be had. */
export async function startPeer(
  options: { configFile: string; logDirectory: string },
  cleanup: Cleanup,
): Promise<(Side & { version: string }) | undefined> {
  const peer = await startAlertmanager(options, cleanup);
  return peer && { name: 'Alertmanager', version: peer.version, target: targetOf(peer.url) };
}

/** One api and one worker over a database of their own, with the settings of production. */
export async function startEyrie(
  options: { name: string; database: DatabaseServer; configFile: string; directory: string },
  cleanup: Cleanup,
): Promise<EyrieSide> {
  const databaseUrl = await options.database.createDatabase(`${options.name}_bench`);
  const { apis, workers, ingestKey, operatorKey } = await startProduct(
    {
      ...options,
      databaseUrl,
      alertsConfig: options.configFile,
      environment: 'production',
      settings: { DRAIN_DELAY: '0s', NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8', RATE_LIMIT_API: 'none' },
    },
    cleanup,
  );
  const { url } = apis[0]!;
  return {
    name: options.name === 'eyrie' ? 'Eyrie' : 'Eyrie with a past',
    target: targetOf(url, ingestKey),
    databaseUrl,
    url,
    operatorKey,
    api: { name: 'api', ...apis[0]! },
    worker: { name: 'worker', ...workers[0]! },
  };
}

/** Nest on Fastify that commits alerts and does nothing else. */
export async function startBareHub(
  { database, directory }: { database: DatabaseServer; directory: string },
  cleanup: Cleanup,
): Promise<StoringSide> {
  const databaseUrl = await database.createDatabase('bare_hub_bench');
  const url = `http://127.0.0.1:${await freePort()}`;
  const program = new Program({
    name: 'bare-hub',
    command: process.execPath,
    args: [BARE_HUB, new URL(url).port, databaseUrl],
    cwd: directory,
    logDirectory: directory,
    env: { NODE_ENV: 'production' },
    readyUrl: `${url}/health/ready`,
  });
  cleanup.add(program.name, () => program.stop());
  await program.start();
  return { name: 'bare Nest that only commits', target: targetOf(url), databaseUrl };
}

function targetOf(url: string, key?: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), path: '/api/v2/alerts', ...(key && { authorization: `Bearer ${key}` }) };
}
