import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.js';

/** How a process ended, to be read after its name: "ended with status 1". */
export type Ending = string;

/** One part of the product as a process of its own, whose output appears on the screen behind its name. */
export class Child {
  /** Resolves, and never rejects, when the process has ended. */
  readonly ended: Promise<Ending>;
  private readonly process: ChildProcessByStdio<null, Readable, Readable>;

  constructor(
    readonly name: string,
    args: readonly string[],
    screen: Screen,
  ) {
    // In a process group of its own: Ctrl-C is for us, and we tell the children when it is their turn.
    this.process = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface(stream).on('line', (line) => screen.show(`[${name}] ${line}`));
    }
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => resolve(`could not be started: ${error.message}`));
      this.process.once('close', (status, signal) =>
        resolve(signal ? `was ended by ${signal}` : `ended with status ${status}`),
      );
    });
  }

  /** Asks it to drain, and waits until it and everything it has started is gone; after `limitMs` it is killed. */
  async stop(limitMs: number): Promise<'drained' | 'killed'> {
    if (this.isRunning) this.process.kill('SIGTERM');
    for (const deadline = Date.now() + limitMs; this.isRunning || this.signalGroup(0); await sleep(20)) {
      if (Date.now() < deadline) continue;
      this.kill();
      await this.ended;
      return 'killed';
    }
    await this.ended;
    return 'drained';
  }

  /** Ends it, and everything it has started, at once. */
  kill(): void {
    this.signalGroup('SIGKILL');
  }

  private get isRunning(): boolean {
    return this.process.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }

  private signalGroup(signal: NodeJS.Signals | 0): boolean {
    try {
      return this.process.pid !== undefined && process.kill(-this.process.pid, signal);
    } catch {
      return false; // gone already
    }
  }
}
