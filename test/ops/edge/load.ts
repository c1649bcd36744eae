import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../harness/eventually.ts';
import { ask } from './client.ts';

export interface LoadOptions {
  port: number;
  /** What is asked for, in turn. */
  requests: readonly { method: string; path: string }[];
  perSecond?: number;
  /** Of which every request is one's own; the others keep theirs. */
  freshConnections?: boolean;
}

/** Steady requests until it is stopped; what was not answered with 200 is a failure. */
export class Load {
  readonly failures: string[] = [];
  /** Answers by what the replica tells of itself, to what was asked since `forgetSlots`. */
  bySlot = new Map<string, number>();
  byReplica = new Map<string, number>();
  #sent = 0;
  #stopped = false;
  readonly #pending = new Set<Promise<void>>();
  readonly #agent: Agent;
  readonly #running: Promise<void>;
  readonly #options: LoadOptions;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: !options.freshConnections, maxSockets: 16 });
    this.#running = this.#run();
  }

  async stop(): Promise<this> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#pending);
    this.#agent.destroy();
    return this;
  }

  /** Until so many more were sent and answered, whatever became of them. */
  async more(count: number): Promise<void> {
    const sent = this.#sent + count;
    await eventually(() => this.#sent - this.#pending.size >= sent, 30_000);
  }

  /** Forgets who answered so far, and does not count who answers what was asked so far. */
  forgetSlots(): void {
    this.bySlot = new Map();
    this.byReplica = new Map();
  }

  async #run(): Promise<void> {
    const { requests, perSecond = 100 } = this.#options;
    const began = performance.now();
    while (!this.#stopped) {
      const one = this.#ask(requests[this.#sent % requests.length]!).finally(() => this.#pending.delete(one));
      this.#pending.add(one);
      this.#sent++;
      await sleep(Math.max(0, began + (this.#sent * 1000) / perSecond - performance.now()));
    }
  }

  async #ask({ method, path }: { method: string; path: string }): Promise<void> {
    const { bySlot, byReplica } = this;
    try {
      const body = method === 'POST' ? '{}' : undefined;
      const answer = await ask({ port: this.#options.port, method, path, body, agent: this.#agent });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.slice(0, 200)}`);
      const { slot, replica } = JSON.parse(answer.body) as { slot: string; replica: string };
      bySlot.set(slot, (bySlot.get(slot) ?? 0) + 1);
      byReplica.set(replica, (byReplica.get(replica) ?? 0) + 1);
    } catch (error) {
      this.failures.push(`${method} ${path}: ${(error as Error).message}`);
    }
  }
}
