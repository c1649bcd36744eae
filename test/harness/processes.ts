import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a program needs to run. Its output goes to `<logDirectory>/<name>.log`, appended across restarts. */
export interface ProgramOptions {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  logDirectory: string;
  /** Answers 2xx once the program may be used. */
  readyUrl?: string;
  /** It leads a process group, as at a terminal, and can be interrupted with all that it has started. */
  leadsGroup?: boolean;
}

export interface Exit {
  status: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * A program under test: started, awaited, killed and started again, always by the pid of its own child.
 * Output is written by the child itself into a file, so that not even SIGKILL loses a line.
 */
export class Program {
  readonly name: string;
  readonly logFile: string;
  /** Told of every exit that neither kill() nor stop() asked for. */
  onUnexpectedExit: (exit: Exit) => void = () => {};
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ status: null, signal: null });
  #ending = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.name = options.name;
    this.logFile = join(options.logDirectory, `${options.name}.log`);
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the program and, if it has a ready URL, waits for it. */
  async start(limitMs = 30_000): Promise<void> {
    this.spawn();
    await this.ready(limitMs);
  }

  /** Starts the program without waiting. */
  spawn(): void {
    const { command, args, cwd, env, leadsGroup = false } = this.#options;
    const log = openSync(this.logFile, 'a');
    const child = spawn(command, args, {
      cwd,
      // Only what it is given: nothing of the caller's own settings reaches the program.
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', log, log],
      detached: leadsGroup,
    });
    closeSync(log);
    this.#child = child;
    this.#ending = false;
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status, signal) => {
        resolve({ status, signal });
        if (!this.#ending && this.#child === child) this.onUnexpectedExit({ status, signal });
      });
    });
    this.#exit.catch(() => {});
  }

  /** Polls the ready URL. Throws with the end of the log if the program exits or the limit passes. */
  async ready(limitMs = 30_000): Promise<void> {
    const { readyUrl } = this.#options;
    if (readyUrl === undefined) return;
    const child = this.#child;
    const deadline = Date.now() + limitMs;
    while (!(await answers(readyUrl))) {
      if (this.#child !== child || this.#ending) return;
      if (!this.running) throw new Error(`${this.name} exited before it was ready\n${this.logTail()}`);
      if (Date.now() > deadline) throw new Error(`${this.name} was not ready within ${limitMs} ms\n${this.logTail()}`);
      await sleep(20);
    }
  }

  /** Waits for the program to end by itself. */
  exited(): Promise<Exit> {
    return this.#exit;
  }

  /** SIGKILL, and returns once it is gone. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.#ending = true;
    this.#child?.kill('SIGKILL');
    await this.#exit;
  }

  /** SIGTERM, then SIGKILL when the limit has passed. */
  async stop(limitMs = 15_000): Promise<Exit> {
    if (this.running) {
      this.#ending = true;
      this.#child?.kill('SIGTERM');
      const timer = setTimeout(() => this.#child?.kill('SIGKILL'), limitMs);
      await this.#exit.finally(() => clearTimeout(timer));
    }
    return this.#exit;
  }

  /** Ctrl-C at its terminal: SIGINT to its whole group, then SIGKILL to it when the limit has passed. */
  async interrupt(limitMs = 15_000): Promise<Exit> {
    const { pid } = this;
    if (pid === undefined) return this.#exit;
    this.#ending = true;
    process.kill(-pid, 'SIGINT');
    const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), limitMs);
    return this.#exit.finally(() => clearTimeout(timer));
  }

  logTail(lines = 25): string {
    const text = readFileSync(this.logFile, 'utf8').trimEnd();
    return `--- end of ${this.logFile}\n${text.split('\n').slice(-lines).join('\n')}\n---`;
  }
}

/** A new temporary folder which PostgreSQL's system user and containers may enter, as those of mkdtemp alone may not be. */
export async function openFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `eyrie-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

/** Runs a program to its end; throws with its log unless it ends with status 0. */
export async function runToEnd(options: ProgramOptions): Promise<void> {
  const program = new Program(options);
  program.spawn();
  program.onUnexpectedExit = () => {};
  const { status, signal } = await program.exited();
  if (status !== 0) throw new Error(`${options.name} ended with ${signal ?? `status ${status}`}\n${program.logTail()}`);
}

/**
 * A free TCP port of the loopback address for a server that will be restarted: below the range from which the system
 * takes the local ports of outgoing connections, one of which could otherwise hold it while the server is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** What has been started, to be ended in reverse order. One failing step never stops the rest. */
export class Cleanup {
  readonly #steps: { name: string; run: () => unknown }[] = [];

  add(name: string, run: () => unknown): void {
    this.#steps.push({ name, run });
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        process.stderr.write(`while ending ${step.name}: ${String(error)}\n`);
      }
    }
  }
}

/** Runs `work`, then ends all that it added to the clean-up: also when it throws, or on Ctrl-C. */
export async function withCleanup<T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  const interrupted = (signal: NodeJS.Signals) => {
    process.stderr.write(`${signal}: ending what was started\n`);
    void cleanup.run().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await work(cleanup);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await cleanup.run();
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
