/** The database and its backup service, as they run in production, under a project of their own. */
import { execFile } from 'node:child_process';
import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Compose, type DockerResult, docker, dockerOrThrow } from '../../harness/docker.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const BACKUP_IMAGE = 'eyrie-backup:18';

export class Stack {
  readonly project: string;
  readonly directory: string;
  readonly compose: Compose;
  /** All that the scripts and the programs have written. */
  output = '';

  private constructor(project: string, directory: string) {
    this.project = project;
    this.directory = directory;
    this.compose = new Compose({
      project,
      files: [join(ROOT, 'deploy/prod/compose.yaml')],
      envFile: join(directory, '.env'),
      directory: join(ROOT, 'deploy/prod'),
    });
  }

  /** An environment with secrets and settings of its own; nothing runs yet. */
  static async create(project: string, settings: Readonly<Record<string, string>>, cleanup: Cleanup): Promise<Stack> {
    const directory = await openFolder('backup');
    const stack = new Stack(project, directory);
    await stack.script('init-secrets');
    const lines = Object.entries({ COMPOSE_PROJECT_NAME: project, ...settings }).map(
      ([name, value]) => `${name}="${value}"`,
    );
    // The last line of a name counts.
    await appendFile(join(directory, '.env'), `\n${lines.join('\n')}\n`);
    cleanup.add('its folder', () => rm(directory, { recursive: true, force: true }));
    cleanup.add('the stack', () => stack.compose.down({ timeoutSeconds: 5 }));
    return stack;
  }

  /** A script of deploy/scripts in this environment; never throws. */
  script(verb: string, ...args: string[]): Promise<DockerResult> {
    const command = join(ROOT, 'deploy/scripts', verb);
    return new Promise((resolve) => {
      execFile(
        command,
        [...args, '--env', this.directory],
        { timeout: 300_000, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          this.output += stdout + stderr;
          resolve({ status: error ? Number(error.code ?? 124) : 0, stdout, stderr });
        },
      );
    });
  }

  /** The same; @throws unless it succeeds. */
  async scriptOrThrow(verb: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.script(verb, ...args);
    if (status !== 0) throw new Error(`${verb} ${args.join(' ')} ended with status ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** A program in the running backup service. */
  async backup(...args: string[]): Promise<DockerResult> {
    const result = await this.compose.exec('backup', ['backup', ...args]);
    this.output += result.stdout + result.stderr;
    return result;
  }

  /** A line of bash in the running backup service. @throws unless it succeeds */
  async inBackup(line: string): Promise<string> {
    return this.compose.runOrThrow(['exec', '--no-TTY', 'backup', 'bash', '-c', line]);
  }

  /** What the live server answers to the superuser. */
  async sql(statement: string, database = 'eyrie'): Promise<string> {
    const psql = ['psql-admin', '-XqAt', '--set', 'ON_ERROR_STOP=1', '--dbname', database];
    return this.compose.runOrThrow(['exec', '--no-TTY', 'postgres', ...psql, '--command', statement]);
  }

  /**
   * A container of the backup image that is not the service's: with the database's socket and the secrets, and what `options`
   * say besides.
   */
  async container(options: readonly string[], command: readonly string[]): Promise<DockerResult> {
    const secret = (name: string) => ['--volume', `${join(this.directory, 'secrets', name)}:/run/secrets/${name}:ro`];
    const result = await docker([
      ...[
        'run',
        '--rm',
        '--network',
        'none',
        '--tmpfs',
        '/tmp',
        '--volume',
        `${this.project}_postgres-socket:/run/postgresql`,
      ],
      ...secret('postgres_backup_password'),
      ...(options.some((option) => option.endsWith(':/run/secrets/backup_key:ro')) ? [] : secret('backup_key')),
      ...[...options, BACKUP_IMAGE, ...command],
    ]);
    this.output += result.stdout + result.stderr;
    return result;
  }

  /** A metric as the backup service publishes it. */
  async metric(series: string): Promise<number> {
    const metrics = await this.inBackup('cat /textfile/*.prom');
    const line = metrics.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
  }

  async secrets(): Promise<{ name: string; value: string }[]> {
    const folder = join(this.directory, 'secrets');
    const names = await readdir(folder);
    const read = async (name: string) => ({ name, value: (await readFile(join(folder, name), 'utf8')).trim() });
    return (await Promise.all(names.map(read))).filter(({ value }) => value.length > 0);
  }

  async containerNames(service: string): Promise<string[]> {
    const filter = (label: string) => ['--filter', `label=com.docker.compose.${label}`];
    const listing = await dockerOrThrow([
      'ps',
      '--format',
      '{{.Names}}',
      ...filter(`project=${this.project}`),
      ...filter(`service=${service}`),
    ]);
    return listing.split('\n').filter(Boolean);
  }
}

/** Polls until the condition holds. @returns the milliseconds it took @throws with `what` when the limit has passed */
export async function until(what: string, condition: () => Promise<boolean>, limitMs: number): Promise<number> {
  const started = Date.now();
  while (!(await condition())) {
    if (Date.now() - started > limitMs) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await sleep(500);
  }
  return Date.now() - started;
}

/** Words of a fault, unless the condition holds. */
export const unless = (condition: boolean, fault: string): string[] => (condition ? [] : [fault]);
