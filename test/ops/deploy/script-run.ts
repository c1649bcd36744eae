import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const LIMIT_MS = 600_000;

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  seconds: number;
}

/** One of deploy/scripts at work, in a process group of its own, as a terminal would start it. */
export class ScriptRun {
  readonly ended: Promise<Outcome>;
  /** All that it has printed so far. */
  output = '';
  readonly #pid: number;

  constructor(verb: string, args: readonly string[]) {
    const began = performance.now();
    const child = spawn(join(ROOT, 'deploy/scripts', verb), args, {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#pid = child.pid ?? 0;
    const limit = setTimeout(() => this.signal('SIGKILL'), LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => {
        clearTimeout(limit);
        resolve({ status, signal, output: this.output, seconds: (performance.now() - began) / 1_000 });
      });
    });
  }

  /** To the script and all that it has started, as Ctrl-C does. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** The last line in which a script says, under its name, why it ended; undefined if it says nothing. */
export function reasonIn(output: string, verb: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line.startsWith(`${verb}: `) && !line.startsWith(`${verb}: warning: `));
}
