/** Containers of the image under the restrictions that production puts on them, beside a PostgreSQL of their own. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docker, dockerOrThrow, type DockerResult } from '../../harness/docker.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Cleanup } from '../../harness/processes.ts';

const HARDENED = [
  ...['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['--memory', '512m', '--pids-limit', '200'],
];

/** On a busy machine the apps take long to start. */
const START_LIMIT_MS = 240_000;

export interface Container {
  name: string;
  id: string;
  /** Where a port of it answers on this machine. */
  url: (port: number) => Promise<string>;
  exec: (...command: string[]) => Promise<DockerResult>;
  logs: () => Promise<string>;
  /** Waits for its own health check. */
  healthy: () => Promise<void>;
  /** Asks it to end, as `docker stop` does; its exit status. */
  stop: (graceSeconds: number) => Promise<number>;
}

export class Surroundings {
  readonly operatorKey = randomBytes(24).toString('base64url');
  readonly databasePassword = randomBytes(24).toString('base64url');
  readonly #name = `eyrie-image-${process.pid}`;
  readonly #tag: string;
  readonly #folder: string;
  readonly #cleanup: Cleanup;

  private constructor(tag: string, folder: string, cleanup: Cleanup) {
    this.#tag = tag;
    this.#folder = folder;
    this.#cleanup = cleanup;
  }

  /** A network, PostgreSQL, and the secrets and the routing that the apps are given as files. */
  static async make(tag: string, folder: string, cleanup: Cleanup): Promise<Surroundings> {
    const made = new Surroundings(tag, folder, cleanup);
    await made.#network();
    await made.#postgres();
    await made.#files();
    return made;
  }

  /** Runs a command of the image to its end. */
  run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<DockerResult> {
    return docker(['run', '--rm', ...this.#options(env), this.#tag, ...command], { timeoutMs: START_LIMIT_MS });
  }

  /** Starts an app of the image. */
  async start(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Container> {
    const published = ['--publish', '127.0.0.1::3000', '--publish', '127.0.0.1::3001', '--publish', '127.0.0.1::9464'];
    const id = await dockerOrThrow(['run', '--detach', ...published, ...this.#options(env), this.#tag, ...command]);
    this.#cleanup.add(`the container of ${command.join(' ')}`, () => docker(['rm', '--force', '--volumes', id]));
    const logs = async () => {
      const { stdout, stderr } = await docker(['logs', id]);
      return stdout + stderr;
    };
    const inspect = (format: string) => dockerOrThrow(['inspect', '--format', format, id]);
    return {
      name: command[0] ?? 'api',
      id,
      logs,
      url: async (port) => `http://${(await dockerOrThrow(['port', id, `${port}/tcp`])).split('\n')[0]}`,
      exec: (...args) => docker(['exec', id, ...args]),
      healthy: async () => {
        const state = await eventually(async () => {
          const now = await inspect('{{.State.Status}} {{.State.Health.Status}}');
          return now === 'running starting' ? undefined : now;
        }, START_LIMIT_MS);
        if (state !== 'running healthy')
          throw new Error(`${command[0] ?? 'api'} is ${state}\n${(await logs()).slice(-2_000)}`);
      },
      stop: async (graceSeconds) => {
        await dockerOrThrow(['stop', '--time', String(graceSeconds), id]);
        return Number(await inspect('{{.State.ExitCode}}'));
      },
    };
  }

  #options(env: Readonly<Record<string, string>>): string[] {
    const settings = { ALERTS_CONFIG: '/etc/eyrie/alertmanager.yml', METRICS_PORT: '9464', DRAIN_DELAY: '1s', ...env };
    return [
      ...['--network', this.#name, ...HARDENED],
      ...['--volume', `${this.#folder}/secrets:/run/secrets:ro`, '--volume', `${this.#folder}/config:/etc/eyrie:ro`],
      ...Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ];
  }

  async #network(): Promise<void> {
    await dockerOrThrow(['network', 'create', this.#name]);
    this.#cleanup.add('the network', () => docker(['network', 'rm', this.#name]));
  }

  async #postgres(): Promise<void> {
    const name = `${this.#name}-postgres`;
    const env = ['--env', 'POSTGRES_USER=eyrie', '--env', 'POSTGRES_PASSWORD'];
    const args = ['run', '--detach', '--name', name, '--network', this.#name, '--network-alias', 'postgres', ...env];
    await dockerOrThrow([...args, 'postgres:18'], { env: { POSTGRES_PASSWORD: this.databasePassword } });
    this.#cleanup.add('PostgreSQL', () => docker(['rm', '--force', '--volumes', name]));
    // By TCP: the server that only sets the database up does not listen there.
    const ready = ['exec', name, 'pg_isready', '--host=127.0.0.1', '--username=eyrie'];
    await eventually(async () => (await docker(ready)).status === 0, START_LIMIT_MS);
  }

  async #files(): Promise<void> {
    const files = {
      'secrets/database_url': `postgresql://eyrie:${this.databasePassword}@postgres/eyrie`,
      'secrets/operator_key': this.operatorKey,
      'config/alertmanager.yml': 'route: { receiver: team }\nreceivers: [{ name: team }]\n',
    };
    for (const [file, text] of Object.entries(files)) {
      const path = join(this.#folder, file);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text);
      await chmod(path, 0o444);
    }
  }
}
