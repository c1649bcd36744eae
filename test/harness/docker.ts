/**
 * Docker for the drills: every call is bounded, and what is started is removed by the name that it was given.
 * Run by Node itself, which strips the types, as well as by jest.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** All that the drills build carries it: `docker image ls --filter label=eyrie.test`. */
const TEST_LABEL = 'eyrie.test=true';

const COMMAND_LIMIT_MS = 120_000;
const BUILD_LIMIT_MS = 900_000;

export interface DockerResult {
  /** The exit status; 124 when the time limit has passed, 127 when there is no such program. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface DockerOptions {
  /** Given on standard input. */
  input?: string;
  timeoutMs?: number;
  /** Added to this process' own environment. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/** Runs `docker …` and never throws: the status tells. */
export function docker(args: readonly string[], options: DockerOptions = {}): Promise<DockerResult> {
  const { input, timeoutMs = COMMAND_LIMIT_MS, env, cwd = ROOT } = options;
  return new Promise((resolve) => {
    const child = execFile(
      'docker',
      args,
      { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 256 * 2 ** 20 },
      (error, stdout, stderr) => {
        if (!error) return resolve({ status: 0, stdout, stderr });
        if (error.killed) {
          const fault = `docker ${args.join(' ')} took longer than ${timeoutMs} ms`;
          return resolve({ status: 124, stdout, stderr: `${stderr}${fault}` });
        }
        if (typeof error.code !== 'number') return resolve({ status: 127, stdout, stderr: error.message });
        resolve({ status: error.code, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => {}); // a program that ended before it read all
    child.stdin?.end(input ?? '');
  });
}

/** The standard output of `docker …`, trimmed. @throws with what it wrote unless it ends with status 0 */
export async function dockerOrThrow(args: readonly string[], options?: DockerOptions): Promise<string> {
  const { status, stdout, stderr } = await docker(args, options);
  if (status === 0) return stdout.trim();
  throw new Error(`docker ${args.join(' ')}\nended with status ${status}\n${tail(`${stdout}${stderr}`)}`);
}

/** Whether an engine answers. */
export async function hasDocker(): Promise<boolean> {
  return (await docker(['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 })).status === 0;
}

export interface BuildOptions {
  target?: string;
  buildArgs?: Readonly<Record<string, string>>;
  /** The folder that is sent to the builder; the project's own unless given. */
  context?: string;
  /** The Dockerfile; that of the context unless given. */
  file?: string;
}

/** Builds an image under a tag, with whatever the builder's cache has, and returns the tag. */
export async function buildImage(tag: string, options: BuildOptions = {}): Promise<string> {
  const { target, buildArgs = {}, context = ROOT, file } = options;
  const replaced = await imageId(tag);
  await dockerOrThrow(
    [
      ...['build', '--progress=plain', '--tag', tag, '--label', TEST_LABEL],
      ...(target === undefined ? [] : ['--target', target]),
      ...(file === undefined ? [] : ['--file', file]),
      ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      context,
    ],
    { timeoutMs: BUILD_LIMIT_MS, env: { DOCKER_BUILDKIT: '1' } },
  );
  // What had the tag before would stay behind without a name. Docker keeps it where another tag or a container has it.
  if (replaced !== undefined && replaced !== (await imageId(tag))) await docker(['image', 'rm', replaced]);
  return tag;
}

/** Removes a tag, and the image with its last one. */
export async function removeImage(tag: string): Promise<void> {
  await docker(['image', 'rm', tag]);
}

let built: Promise<string> | undefined;

/** The tag of the product's image for drills, built once in a run; `EYRIE_TEST_IMAGE` names one that exists. */
export function productImage(): Promise<string> {
  const given = process.env.EYRIE_TEST_IMAGE;
  built ??= given ? Promise.resolve(given) : buildImage('eyrie:test', { target: 'production' });
  return built;
}

export interface ComposeOptions {
  /** Apart from all other projects: names the containers, networks and volumes. */
  project: string;
  files: readonly string[];
  envFile?: string;
  /** What relative paths in the files start from; the first file's folder unless given. */
  directory?: string;
  profiles?: readonly string[];
  /** For what the files interpolate. */
  env?: Readonly<Record<string, string>>;
}

/** A container of a project, as `docker compose ps --format json` tells. */
export interface ComposeContainer {
  ID: string;
  Name: string;
  Service: string;
  /** `running`, `exited`, … */
  State: string;
  /** `healthy`, `unhealthy`, `starting`, or empty without a health check. */
  Health: string;
  ExitCode: number;
  Publishers: { URL: string; TargetPort: number; PublishedPort: number; Protocol: string }[] | null;
}

/**
 * A project of Docker Compose under a name of its own.
 *
 * @example
 * const stack = new Compose({ project: 'eyrie-edge', files: ['deploy/prod/compose.yaml'], envFile });
 * cleanup.add('the stack', () => stack.down());
 * await stack.up(['nginx', 'worker']);
 */
export class Compose {
  readonly project: string;
  readonly #options: ComposeOptions;

  constructor(options: ComposeOptions) {
    this.project = options.project;
    this.#options = options;
  }

  /** Any verb of Compose; never throws. */
  run(args: readonly string[], options: DockerOptions = {}): Promise<DockerResult> {
    const { files, envFile, directory, profiles = [], env } = this.#options;
    const project = [
      ...['compose', '--project-name', this.project, '--progress', 'plain', '--ansi', 'never'],
      ...files.flatMap((file) => ['--file', file]),
      ...(envFile === undefined ? [] : ['--env-file', envFile]),
      ...(directory === undefined ? [] : ['--project-directory', directory]),
      ...profiles.flatMap((profile) => ['--profile', profile]),
    ];
    return docker([...project, ...args], {
      ...options,
      // Not the caller's own project, should one be named in the environment.
      env: { COMPOSE_PROJECT_NAME: this.project, ...env, ...options.env },
    });
  }

  /** The standard output of a verb, trimmed. @throws with what it wrote unless it ends with status 0 */
  async runOrThrow(args: readonly string[], options?: DockerOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(args, options);
    if (status === 0) return stdout.trim();
    throw new Error(`compose ${args.join(' ')}\nended with status ${status}\n${tail(`${stdout}${stderr}`)}`);
  }

  /** Starts all services, or those named and what they depend on, and waits until they are healthy. */
  async up(services: readonly string[] = [], { build = false, waitMs = 180_000 } = {}): Promise<void> {
    const waiting = ['--wait', '--wait-timeout', String(Math.ceil(waitMs / 1000))];
    const args = ['up', '--detach', '--quiet-pull', ...waiting, build ? '--build' : '--no-build', ...services];
    await this.runOrThrow(args, { timeoutMs: waitMs + (build ? BUILD_LIMIT_MS : 30_000) });
  }

  /** Stops and removes all that the project has, its volumes too. */
  async down({ timeoutSeconds = 10 } = {}): Promise<void> {
    const args = ['down', '--volumes', '--remove-orphans', '--timeout', String(timeoutSeconds)];
    await this.runOrThrow(args, { timeoutMs: 120_000 + timeoutSeconds * 1000 });
  }

  /** Its containers, ended ones too; of one service, if named. */
  async ps(service?: string): Promise<ComposeContainer[]> {
    const listing = await this.runOrThrow(['ps', '--all', '--format', 'json', ...(service ? [service] : [])]);
    return listing
      .split('\n')
      .filter((line) => line.length > 0)
      .map((line) => JSON.parse(line) as ComposeContainer);
  }

  /** Runs a program in a running container of a service; never throws. */
  exec(service: string, command: readonly string[], options?: DockerOptions): Promise<DockerResult> {
    return this.run(['exec', '--no-TTY', service, ...command], options);
  }

  /** What a service, or all of them, wrote to its output and error output. */
  async logs(service?: string): Promise<string> {
    const args = ['logs', '--no-color', '--no-log-prefix', ...(service ? [service] : [])];
    const { stdout, stderr } = await this.run(args);
    return `${stdout}${stderr}`;
  }
}

async function imageId(tag: string): Promise<string | undefined> {
  const { status, stdout } = await docker(['image', 'inspect', '--format', '{{.Id}}', tag]);
  return status === 0 ? stdout.trim() : undefined;
}

function tail(output: string, lines = 40): string {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
