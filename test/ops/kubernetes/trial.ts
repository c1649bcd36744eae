/**
 * overlays/trial on a node: the manifests' own pods, with the Secrets that the script makes, from empty volumes to an alert;
 * and a dump, where an image for it is given.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { productImage } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Cleanup } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { FakeCluster } from './fake-cluster.ts';
import type { Manifest } from './manifests.ts';
import { type RunningContainer, TestNode } from './node.ts';

const BACKUP = { backup_key: 'k'.repeat(40), username: 'backup', password: 'of-the-backup' };

const LIMIT_MS = 120_000;

export interface TrialOptions {
  objects: readonly Manifest[];
  folder: string;
  /** Of components/backup, where that is among the objects. */
  backupImage?: string;
}

export async function trial(options: TrialOptions, cleanup: Cleanup): Promise<CheckResult[]> {
  const { objects, folder, backupImage } = options;
  const results: CheckResult[] = [];
  const check = async (name: string, look: () => Promise<string | undefined | void>) => {
    const fault = await look().catch((error: unknown) => String(error));
    results.push({ name: `trial: ${name}`, faults: fault ? [fault] : [] });
  };
  const cluster = new FakeCluster(join(folder, 'cluster'));
  const made = await cluster.secrets('--namespace', 'eyrie-trial', '--trial');
  if (made.status !== 0) return [{ name: 'trial: its Secrets are made', faults: [made.stderr] }];
  const product = await productImage();
  const volumes = join(folder, 'volumes');
  await mkdir(volumes);
  const image = (name: string) => {
    if (name.includes('eyrie-backup')) return backupImage ?? name;
    return name.startsWith('eyrie:') ? product : name;
  };
  const node = await TestNode.start(
    { objects, secrets: { ...cluster.contents, 'eyrie-backup': BACKUP }, folder: volumes, image },
    cleanup,
  );

  const stores = ['eyrie-postgres', 'eyrie-redis'].map((name) => node.workload('StatefulSet', name));
  let postgres: RunningContainer | undefined;
  await check('PostgreSQL and Redis become ready', async () => {
    const running = await Promise.all(stores.map((store) => node.run(store)));
    await Promise.all(running.map((each) => each.ready()));
    postgres = running[0];
  });
  if (!postgres) return results;

  const api = node.workload('Deployment', 'eyrie-api');
  await check('a new pod waits for the migration, and the Job ends the waiting', async () => {
    const waiting = await node.run(api, api.template.spec.initContainers![0]);
    const seen = await eventually(async () => {
      if ((await waiting.log()).includes('waiting for')) return 'waits';
      return !(await waiting.running()) && 'ended';
    }, LIMIT_MS);
    if (seen !== 'waits') return `it did not wait:\n${await waiting.log()}`;
    const job = await node.run(node.workload('Job', 'eyrie-migration'));
    const status = await job.ended();
    if (status !== 0) return `the Job ended with ${status}\n${await job.log()}`;
    const end = await waiting.ended();
    return end === 0 ? undefined : `the pod ended with ${end}\n${await waiting.log()}`;
  });

  const apps: RunningContainer[] = [];
  for (const name of ['eyrie-api', 'eyrie-worker']) {
    await check(`${name} passes its probes`, async () => {
      const app = await node.run(node.workload('Deployment', name));
      await app.ready();
      apps.push(app);
      const metrics = await fetch(await app.url('metrics', '/metrics'));
      const open = await fetch(await app.url('http', '/metrics'));
      return metrics.ok && !open.ok
        ? undefined
        : `/metrics: ${metrics.status} on its own port, ${open.status} on the other`;
    });
  }
  if (apps.length < 2) return results;

  await check('an alert is accepted with the key of the Secret', async () => {
    const key = cluster.contents['eyrie-keys']!['ingest_key']!.trim();
    const response = await fetch(await apps[0]!.url('http', '/api/v1/alerts'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ name: 'Trial', severity: 'high', message: 'from the manifests' }),
    });
    return response.ok ? undefined : `${response.status} ${await response.text()}`;
  });
  await check('Redis is in use', async () => {
    const health = await (await fetch(await apps[0]!.url('http', '/health'))).text();
    return health.includes('"redis":{"status":"healthy"}') ? undefined : health;
  });
  if (backupImage !== undefined) {
    const sql = `CREATE ROLE backup LOGIN BYPASSRLS PASSWORD '${BACKUP.password}' IN ROLE pg_read_all_data`;
    await postgres.exec('psql', '-qU', 'eyrie', '-c', sql);
    await check('the CronJob leaves a dump on its volume', async () => {
      const backup = await node.run(node.workload('CronJob', 'eyrie-backup'));
      const status = await backup.ended();
      const dumps = await readdir(join(volumes, 'eyrie-backup/backups/dumps')).catch(() => []);
      const made = status === 0 && dumps.some((name) => name.endsWith('.dump.age'));
      return made ? undefined : `status ${status}, ${dumps.join(' ') || 'no dump'}\n${await backup.log()}`;
    });
  }
  await check('api and worker end by themselves within their grace', async () => {
    const ends = await Promise.all(apps.map((app) => app.stop()));
    const figures = ends.map(({ status, seconds }) => `status ${status} in ${seconds} s`).join(', ');
    process.stdout.write(`api and worker stopped: ${figures}\n`);
    return ends.every(({ status }) => status === 0) ? undefined : figures;
  });
  return results;
}
