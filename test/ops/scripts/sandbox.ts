/** An environment in a temporary folder, the model in place of Docker, and the scripts run against both. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, type Call, changes } from './commands.ts';
import { type Behaviour, World } from './world.ts';

export const SCRIPTS = fileURLToPath(new URL('../../../deploy/scripts/', import.meta.url));
const COMPOSE_FILE = join(SCRIPTS, '../prod/compose.yaml');
/** Stands in every secret file: nothing that a script prints or writes may have it. */
export const PLANTED = 'planted-secret-8c1f';
const LIMIT_MS = 120_000;

// What the scripts find as `docker`: it hands the call to the model over a local port, and prints the answer. Written in bash,
// whose start takes milliseconds: a deploy makes a hundred calls.
const CLIENT = `#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$MODEL_PORT"
input=''
if [[ " $* " == *' --interactive '* ]]; then input=$(cat); fi
printf '%s\\0' "$#" "$@" "$input" "\${BLUE_IMAGE-}" "\${GREEN_IMAGE-}" "\${EYRIE_IMAGE-}" >&3
IFS= read -r -d '' status <&3 && IFS= read -r -d '' out <&3 && IFS= read -r -d '' err <&3 || exit 125
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$status"
`;

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Run {
  /** The leader of its process group. */
  pid: number;
  ended: Promise<Outcome>;
}

export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'eyrie-scripts-'));
  world = new World('shop');
  /** Every call, and those that changed something. */
  readonly calls: Call[] = [];
  /** Runs before the effect of the nth changing call; what it returns runs after it. */
  onChange: (nth: number, call: Call) => (() => void) | void = () => {};
  changed = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  /** A new one, or one that is as another is now. */
  static async open(like?: Sandbox): Promise<Sandbox> {
    const sandbox = new Sandbox();
    await sandbox.#listen();
    if (like) {
      cpSync(like.directory, sandbox.directory, { recursive: true });
      sandbox.world = Object.assign(new World(like.world.project), structuredClone({ ...like.world }));
    } else {
      sandbox.#furnish();
    }
    return sandbox;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server!.close(resolve));
    rmSync(this.directory, { recursive: true });
  }

  /** Releases `v1` by the deploy script itself, and forgets the calls that took. */
  async release(ref: string, ...flags: string[]): Promise<Outcome> {
    const outcome = await this.run('deploy', '--image', ref, '--watch', '0s', '--steady', '0s', ...flags);
    this.calls.length = 0;
    this.changed = 0;
    return outcome;
  }

  image(ref: string, version: string, behaviour?: Behaviour): string {
    return this.world.addImage(ref, version, behaviour);
  }

  start(script: string, ...args: string[]): Run {
    const { port } = this.#server!.address() as { port: number };
    const child = spawn('bash', [join(SCRIPTS, script), '--env', this.directory, ...args], {
      env: { PATH: `${this.directory}/bin:${process.env.PATH}`, HOME: this.directory, MODEL_PORT: String(port) },
      // A group of its own, as a shell gives to each job: what a terminal signals reaches all of it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const ended = new Promise<Outcome>((resolve) => {
      child.once('close', (status, signal) => {
        const complaints = output.stderr.split('\n').filter((line) => /: line \d+: /.test(line));
        this.world.noticed.push(...complaints.map((line) => `bash complains: ${line}`));
        resolve({ status, signal, ...output });
      });
    });
    return { pid: child.pid!, ended };
  }

  run(script: string, ...args: string[]): Promise<Outcome> {
    return this.start(script, ...args).ended;
  }

  /** A value of .env. */
  env(key: string): string | undefined {
    return new RegExp(`^${key}=(.*)$`, 'm').exec(this.read('.env'))?.[1];
  }

  read(path: string): string {
    const file = join(this.directory, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text);
  }

  /** What the scripts keep, as it is to be found: exactly these files. */
  furnishState(files: Readonly<Record<string, string>>): void {
    rmSync(join(this.directory, '.state'), { recursive: true, force: true });
    mkdirSync(join(this.directory, '.state'));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  exists(path: string): boolean {
    return existsSync(join(this.directory, path));
  }

  #furnish(): void {
    for (const folder of ['bin', 'secrets', 'config', 'certs']) mkdirSync(join(this.directory, folder));
    writeFileSync(join(this.directory, 'bin/docker'), CLIENT, { mode: 0o755 });
    this.write(
      '.env',
      [
        '# kept by people and by the scripts',
        `COMPOSE_PROJECT_NAME=${this.world.project}`,
        'EYRIE_IMAGE=eyrie:1',
        'BLUE_IMAGE=',
        'BLUE_REPLICAS=3',
        'GREEN_REPLICAS=0',
        'WORKER_REPLICAS=2',
        'SERVER_NAME="alerts.example.org other.example.org"',
        'HTTPS_PORT=443',
        '',
      ].join('\n'),
    );
    this.write('app.env', 'LOG_LEVEL=info\n');
    this.write('config/alertmanager.yml', 'route: { receiver: none }\n');
    const secrets = readFileSync(COMPOSE_FILE, 'utf8').match(/secrets\/[a-z0-9_]+/g) ?? [];
    for (const secret of secrets) this.write(secret, PLANTED);
    const [key, certificate] = ['tls.key', 'tls.crt'].map((name) => join(this.directory, 'certs', name));
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-keyout', key!, '-out', certificate!], {
      stdio: 'ignore',
    });
    this.image('eyrie:1', '1.0.0');
    this.image('eyrie:2', '2.0.0');
    this.image('eyrie:3', '3.0.0');
  }

  #listen(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      let received = Buffer.alloc(0);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
      socket.on('data', (data) => {
        received = Buffer.concat([received, data]);
        const fields = received.toString().split('\0');
        const count = Number(fields[0]);
        if (fields.length < count + 6) return;
        const [input = '', BLUE_IMAGE = '', GREEN_IMAGE = '', EYRIE_IMAGE = ''] = fields.slice(count + 1);
        const call = { argv: fields.slice(1, count + 1), input, env: { BLUE_IMAGE, GREEN_IMAGE, EYRIE_IMAGE } };
        const { status, stdout, stderr } = this.#take(call);
        socket.end(`${status}\0${stdout}\0${stderr}\0`);
      });
    });
    return new Promise((resolve) => this.#server!.listen(0, '127.0.0.1', () => resolve()));
  }

  #take(call: Call) {
    this.calls.push(call);
    if (!changes(call)) return answer(this.world, call);
    this.changed += 1;
    const after = this.onChange(this.changed, call);
    const reply = answer(this.world, call);
    after?.();
    return reply;
  }
}
