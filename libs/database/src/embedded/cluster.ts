import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { EmbeddedDatabaseError, explain } from './embedded-error.js';
import { readPostmaster, removeStalePostmaster } from './postmaster.js';
import type { SystemUser } from './system-user.js';

/** The major version that the installed programs speak. */
const MAJOR_VERSION = '18';

/** Long enough for the recovery of a large database after a crash. */
const START_LIMIT_MS = 120_000;

/** The superuser of an embedded database, and the database it makes for the application. */
export const ROLE = 'eyrie';

export interface ClusterOptions {
  /** Holds `data/`, PostgreSQL's own folder, and its log. */
  directory: string;
  binaries: Binaries;
  /** Whom PostgreSQL runs as, when not as ourselves. */
  user: SystemUser | undefined;
  /** False trades the safety of the data for speed: for tests. */
  durable: boolean;
}

/** One PostgreSQL data folder and the server over it. Its methods are for the holder of the folder's lock only. */
export class Cluster {
  readonly dataFolder: string;
  private readonly log: string;

  constructor(private readonly options: ClusterOptions) {
    this.dataFolder = join(options.directory, 'data');
    this.log = join(options.directory, 'postgres.log');
  }

  /** The port of the running server, undefined when none runs. One that is just starting or stopping is waited for. */
  async runningPort(): Promise<number | undefined> {
    for (const deadline = Date.now() + START_LIMIT_MS; Date.now() < deadline; await sleep(20)) {
      const server = await readPostmaster(this.dataFolder);
      if (!server || server.status === 'ready') return server?.port;
    }
    throw explain('the server that runs there is neither ready nor gone', this.options.directory);
  }

  /** Makes the data folder where there is none. A crash on the way leaves none, never half of one. */
  async initialise(password: string): Promise<void> {
    const found = await readFile(join(this.dataFolder, 'PG_VERSION'), 'utf8').catch(orUndefined('ENOENT'));
    if (found !== undefined && found.trim() !== MAJOR_VERSION) {
      throw explain(
        `data of PostgreSQL ${found.trim()}, programs of ${MAJOR_VERSION}: database files are incompatible with server`,
        this.dataFolder,
      );
    }
    if (found !== undefined) return;
    const draft = `${this.dataFolder}.draft`;
    const passwordFile = `${this.dataFolder}.password`;
    await rm(draft, { recursive: true, force: true });
    try {
      await mkdir(draft, { mode: 0o700 });
      await writeFile(passwordFile, password, { mode: 0o600 });
      await this.giveAway(draft, passwordFile);
      await this.run(this.options.binaries.initdb, [
        ...['-D', draft, '-U', ROLE, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-instructions'],
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
        ...(this.options.durable ? [] : ['--no-sync']),
      ]);
      await rename(draft, this.dataFolder);
    } finally {
      await rm(passwordFile, { force: true });
      await rm(draft, { recursive: true, force: true });
    }
  }

  /**
   * Starts the server, detached from this process and its terminal: Ctrl-C must reach the applications first.
   * @throws EmbeddedDatabaseError with PostgreSQL's own words when it does not come up
   */
  async start(port: number): Promise<void> {
    await removeStalePostmaster(this.dataFolder);
    await rename(this.log, `${this.log}.1`).catch(orUndefined('ENOENT'));
    const log = await open(this.log, 'a', 0o600);
    try {
      const server = spawn(
        this.options.binaries.postgres,
        ['-D', this.dataFolder, ...serverSettings(port, this.options.durable)],
        {
          ...this.spawnOptions(),
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
        },
      );
      server.unref();
      let exited: string | undefined;
      server.once('error', (error) => (exited = error.message));
      server.once('exit', (status, signal) => (exited ??= `postgres ended with ${signal ?? `status ${status}`}`));
      await this.untilReady(() => exited);
    } finally {
      await log.close();
    }
  }

  /** Stops the server: running transactions are rolled back, what was committed is on the disk. */
  async stop(): Promise<void> {
    if (!(await readPostmaster(this.dataFolder))) return;
    await this.run(this.options.binaries.pg_ctl, ['stop', '-D', this.dataFolder, '-m', 'fast', '-w', '-t', '60', '-s']);
  }

  private async untilReady(exited: () => string | undefined): Promise<void> {
    for (const deadline = Date.now() + START_LIMIT_MS; Date.now() < deadline; await sleep(10)) {
      const failure = exited();
      if (failure) throw explain(`${failure}: ${await this.lastWords()}`, this.options.directory);
      if ((await readPostmaster(this.dataFolder))?.status === 'ready') return;
    }
    throw explain(`not ready within ${START_LIMIT_MS / 1_000} s: ${await this.lastWords()}`, this.options.directory);
  }

  private async lastWords(): Promise<string> {
    return tellingLines(await readFile(this.log, 'utf8')) || 'it said nothing';
  }

  private async run(program: string, args: string[]): Promise<void> {
    const child = spawn(program, args, { ...this.spawnOptions(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [status] = (await once(child, 'close').catch((error: unknown) => {
      throw this.cannotRun(program, error as Error);
    })) as [number | null];
    if (status !== 0) throw explain(tellingLines(output), this.options.directory);
  }

  private cannotRun(program: string, error: Error): EmbeddedDatabaseError {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return explain(error.message, this.options.directory);
    return new EmbeddedDatabaseError(
      'unsupported-platform',
      `${program} cannot run here: the embedded PostgreSQL is built for glibc, and this system has another C library. ` +
        'Set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }

  /** No environment is handed on: neither secrets nor PG* variables are the server's business. */
  private spawnOptions(): SpawnOptions {
    const { directory, user } = this.options;
    return { cwd: directory, env: { LC_ALL: 'C' }, windowsHide: true, ...(user && { uid: user.uid, gid: user.gid }) };
  }

  private async giveAway(...paths: string[]): Promise<void> {
    const { user } = this.options;
    if (user) await Promise.all(paths.map((path) => chown(path, user.uid, user.gid)));
  }
}

/** The lines of PostgreSQL's output that say what went wrong; the last ones where none does. */
function tellingLines(output: string): string {
  const lines = output.trim().split('\n');
  const telling = lines.filter((line) => /FATAL|PANIC|ERROR|error:|could not|cannot/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-4).join(' ').trim();
}

/** Whether a data folder exists that belongs to somebody else than whom PostgreSQL would run as. */
export async function isForeign(dataFolder: string, user: SystemUser | undefined): Promise<boolean> {
  const found = await stat(dataFolder).catch(orUndefined('ENOENT'));
  const runsAs = user?.uid ?? process.getuid?.();
  return found !== undefined && runsAs !== undefined && found.uid !== runsAs;
}

function serverSettings(port: number, durable: boolean): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 100,
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(!durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function orUndefined(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
