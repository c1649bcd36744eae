import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Compose, dockerOrThrow } from '../../harness/docker.ts';
import { type Cleanup, freePort, openFolder } from '../../harness/processes.ts';
import type { Access } from './client.ts';
import { ScriptRun } from './script-run.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SERVER_NAME = 'localhost';

export interface HostOptions {
  image: string;
  replicas: number;
  workers: number;
  /** Where notifications go. */
  hook: string;
}

/** Production on one host, as its manual makes it: init-secrets, settings, compose.yaml. Limits are raised for the load. */
export class ProductionHost {
  readonly directory: string;
  readonly compose: Compose;
  readonly access: Access;

  readonly #scripts = new Set<ScriptRun>();

  private constructor(directory: string, compose: Compose, access: Access) {
    this.directory = directory;
    this.compose = compose;
    this.access = access;
  }

  static async start({ image, replicas, workers, hook }: HostOptions, cleanup: Cleanup): Promise<ProductionHost> {
    const project = `eyrie-deploy-${process.pid}`;
    const directory = await openFolder('deploy');
    cleanup.add('the environment', () =>
      dockerOrThrow([
        'run',
        '--rm',
        '-v',
        `${directory}:/e`,
        '--user',
        '0',
        '--entrypoint',
        'sh',
        image,
        '-c',
        'rm -rf /e/* /e/.[!.]*',
      ]),
    );
    const [httpPort, httpsPort] = [await freePort(), await freePort()];
    const made = await new ScriptRun('init-secrets', ['--env', directory]).ended;
    if (made.status !== 0) throw new Error(`init-secrets ended with status ${made.status}\n${made.output}`);

    await setValues(join(directory, '.env'), {
      COMPOSE_PROJECT_NAME: project,
      EYRIE_DIR: directory,
      EYRIE_IMAGE: image,
      BLUE_IMAGE: image,
      GREEN_IMAGE: image,
      WORKER_IMAGE: image,
      BLUE_REPLICAS: replicas,
      GREEN_REPLICAS: 0,
      WORKER_REPLICAS: workers,
      SERVER_NAME,
      BIND_ADDRESS: '127.0.0.1',
      HTTP_PORT: httpPort,
      HTTPS_PORT: httpsPort,
      API_RATE: '2000r/s',
      API_BURST: 2000,
      INGEST_RATE: '2000r/s',
      INGEST_BURST: 2000,
    });
    await setValues(join(directory, 'app.env'), {
      RATE_LIMIT_API: 'none',
      NOTIFY_ALLOW_PRIVATE: new URL(hook).hostname,
      WEBSOCKET_HEARTBEAT: '5s',
      // What starts beside them may take a replica's share of a small machine for a second: that is no overload by requests.
      OVERLOAD_DELAY: '10s',
      LOG_LEVEL: 'info',
    });
    await writeFile(join(directory, 'config/alertmanager.yml'), routesTo(hook));
    await chmod(join(directory, 'config/alertmanager.yml'), 0o644);

    const compose = new Compose({
      project,
      files: [join(ROOT, 'deploy/prod/compose.yaml')],
      envFile: join(directory, '.env'),
      directory: join(ROOT, 'deploy/prod'),
    });
    cleanup.add('the stack', () => compose.down());
    await makeBackupDisk(project);
    await compose.up([], { build: true, waitMs: 240_000 }).catch(async (error: Error) => {
      const ill = (await compose.ps()).filter(({ State, Health }) => State !== 'running' || Health !== 'healthy');
      const logs = await Promise.all(ill.map(async ({ Service }) => `--- ${Service}\n${await compose.logs(Service)}`));
      throw new Error(`${error.message}\n${logs.join('\n').slice(-8_000)}`);
    });
    const secret = (name: string) => readFile(join(directory, 'secrets', name), 'utf8').then((text) => text.trim());
    const host = new ProductionHost(directory, compose, {
      url: `https://127.0.0.1:${httpsPort}`,
      serverName: SERVER_NAME,
      ca: await readFile(join(directory, 'certs/tls.crt'), 'utf8'),
      ingestKey: await secret('ingest_key'),
      operatorKey: await secret('operator_key'),
    });
    cleanup.add('scripts under way', () => host.#endScripts());
    return host;
  }

  /** Begins one of deploy/scripts on this host. */
  script(verb: string, ...args: string[]): ScriptRun {
    const run = new ScriptRun(verb, ['--env', this.directory, '--yes', ...args]);
    this.#scripts.add(run);
    void run.ended.finally(() => this.#scripts.delete(run)).catch(() => undefined);
    return run;
  }

  async #endScripts(): Promise<void> {
    const ending = [...this.#scripts].map((run) => (run.signal('SIGKILL'), run.ended));
    await Promise.allSettled(ending);
  }

  /**
   * Leaves no byte free where the backups are. In a container of its own: what lies on a disk in memory counts against the
   * limit of whoever wrote it.
   */
  async fillBackupDisk(image: string): Promise<void> {
    const fill =
      'dd if=/dev/zero of=/backups/filler bs=1M; dd if=/dev/zero bs=1k >>/backups/filler; df /backups | grep 100%';
    const volume = `${this.compose.project}_backups:/backups`;
    await dockerOrThrow([
      'run',
      '--rm',
      '--user=0',
      '--network=none',
      '-v',
      volume,
      '--entrypoint=sh',
      image,
      '-c',
      fill,
    ]);
  }

  async emptyBackupDisk(): Promise<void> {
    await this.compose.exec('backup', ['rm', '-f', '/backups/filler']);
  }

  /** Rows of one column, as the superuser sees them. */
  async sql(query: string): Promise<string[]> {
    const psql = ['psql-admin', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'eyrie', '-c', query];
    const { status, stdout, stderr } = await this.compose.exec('postgres', psql);
    if (status !== 0) throw new Error(`${query}: ${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  }
}

/** The volume of the backups, made beforehand as a small disk that can be filled. */
async function makeBackupDisk(project: string): Promise<void> {
  const labels = [`com.docker.compose.project=${project}`, 'com.docker.compose.volume=backups'];
  await dockerOrThrow([
    ...['volume', 'create', '--driver', 'local', '--opt', 'type=tmpfs', '--opt', 'device=tmpfs'],
    ...['--opt', 'o=size=768m,uid=999,gid=999,mode=0750', ...labels.flatMap((label) => ['--label', label])],
    `${project}_backups`,
  ]);
}

/** An address of this machine that its containers reach. */
export async function addressForContainers(): Promise<string> {
  const format = '{{range .IPAM.Config}}{{.Gateway}}{{"\\n"}}{{end}}';
  const gateways = await dockerOrThrow(['network', 'inspect', 'bridge', '--format', format]);
  const address = gateways.split('\n').find((line) => /^\d+(\.\d+){3}$/.test(line));
  if (!address) throw new Error('the default network of Docker has no IPv4 gateway');
  return address;
}

/** Every alert of the load its own group, told at once; others, such as those of health, go nowhere. */
function routesTo(hook: string): string {
  return `route:
  receiver: nobody
  routes:
    - matchers: [alertname="Load"]
      receiver: load
      group_by: ['...']
      group_wait: 0s
      group_interval: 1s
      repeat_interval: 24h
receivers:
  - name: nobody
  - name: load
    webhook_configs: [{ url: '${hook}/hook', timeout: 5s }]
`;
}

/** Replaces or adds `KEY=value` lines of a file. */
async function setValues(file: string, values: Readonly<Record<string, string | number>>): Promise<void> {
  const kept = (await readFile(file, 'utf8')).split('\n').filter((line) => !(line.split('=')[0]!.trim() in values));
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, [...kept, ...lines, ''].join('\n'));
}
