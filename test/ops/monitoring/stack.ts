/** Production and its monitoring on containers, each made as its manual says: init-secrets, init, the compose files. */
import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Compose } from '../../harness/docker.ts';
import { type Cleanup, freePort, openFolder } from '../../harness/processes.ts';
import { hurry } from './hurried.ts';
import { PrometheusApi } from './prometheus-api.ts';
import { Recorder } from './recorder.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** Of the profile `metrics`, what the drill starts. */
export const WATCHERS = [
  'prometheus',
  'alertmanager',
  'node-exporter',
  'redis-exporter',
  'postgres-exporter',
  'nginx-exporter',
];

export interface Stack {
  directory: string;
  production: Compose;
  monitoring: Compose;
  prometheus: PrometheusApi;
  recorder: Recorder;
  https: { port: number; ca: string };
  ingestKey: string;
  operatorKey: string;
}

const HUB_ROUTES = `route: { receiver: recorder, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: recorder
    webhook_configs: [{ url: 'http://recorder:8080/hub' }]
`;

export async function startStack(image: string, cleanup: Cleanup): Promise<Stack> {
  const directory = await openFolder('monitoring');
  cleanup.add('its folder', () => rm(directory, { recursive: true, force: true }));
  const project = `eyrie-monitoring-${process.pid}`;
  const [production, https] = await startProduction(project, image, directory, cleanup);
  const [monitoring, prometheus] = await startMonitoring(project, directory, cleanup);

  const recorder = await Recorder.start(`${project}-recorder`, image, [
    `${project}_egress`,
    `${project}-monitoring_monitoring`,
  ]);
  cleanup.add('the recorder', () => recorder.remove());
  const secret = (name: string) => readFile(join(directory, 'secrets', name), 'utf8');
  const [ingestKey, operatorKey] = [await secret('ingest_key'), await secret('operator_key')];
  return { directory, production, monitoring, prometheus, recorder, https, ingestKey, operatorKey };
}

async function startProduction(
  project: string,
  image: string,
  directory: string,
  cleanup: Cleanup,
): Promise<[Compose, Stack['https']]> {
  await run(join(ROOT, 'deploy/scripts/init-secrets'), ['--env', directory]);
  const [http, https] = [await freePort(), await freePort()];
  // The last of two lines counts.
  const settings = [
    ...[`COMPOSE_PROJECT_NAME=${project}`, `EYRIE_DIR=${directory}`, `EYRIE_IMAGE=${image}`, 'BIND_ADDRESS=127.0.0.1'],
    ...[`HTTP_PORT=${http}`, `HTTPS_PORT=${https}`, 'BLUE_REPLICAS=2', 'GREEN_REPLICAS=0', 'WORKER_REPLICAS=1'],
  ];
  await appendFile(join(directory, '.env'), `\n${settings.join('\n')}\n`);
  await appendFile(join(directory, 'app.env'), '\nNOTIFY_ALLOW_PRIVATE=recorder\n');
  await writeFile(join(directory, 'config/alertmanager.yml'), HUB_ROUTES);
  await chmod(join(directory, 'config/alertmanager.yml'), 0o644);
  const production = new Compose({
    project,
    files: [join(ROOT, 'deploy/prod/compose.yaml')],
    envFile: join(directory, '.env'),
    directory: join(ROOT, 'deploy/prod'),
  });
  cleanup.add('production', () => production.down({ timeoutSeconds: 2 }));
  await production.up([], { build: true, waitMs: 240_000 });
  return [production, { port: https, ca: await readFile(join(directory, 'certs/tls.crt'), 'utf8') }];
}

async function startMonitoring(
  project: string,
  directory: string,
  cleanup: Cleanup,
): Promise<[Compose, PrometheusApi]> {
  const into = join(directory, 'monitoring');
  await mkdir(into, { mode: 0o755 });
  const hurried = await hurry(into);
  await run(join(ROOT, 'monitoring/init'), [
    '--environment',
    directory,
    '--into',
    into,
    '--witness',
    'http://recorder:8080/witness',
  ]);
  const port = await freePort();
  const settings = [
    ...[`PROMETHEUS_PORT=${port}`, `ALERTMANAGER_PORT=${await freePort()}`, `WITNESS_CONFIG=${hurried.alertmanager}`],
    // Not every machine's / can be mounted into a container.
    ...[`HOST_ROOT=${into}`, 'HOST_PROPAGATION=rprivate', 'EYRIE_ENVIRONMENT=drill'],
  ];
  await appendFile(join(into, '.env'), `\n${settings.join('\n')}\n`);
  const monitoring = new Compose({
    project: `${project}-monitoring`,
    files: [join(ROOT, 'monitoring/compose.yaml'), hurried.override],
    envFile: join(into, '.env'),
    profiles: ['metrics'],
  });
  cleanup.add('the monitoring', () => monitoring.down({ timeoutSeconds: 2 }));
  await monitoring.up(WATCHERS, { waitMs: 60_000 });
  return [monitoring, new PrometheusApi(`http://127.0.0.1:${port}`)];
}
