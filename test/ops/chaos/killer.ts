import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { Program } from '../../harness/processes.ts';
import type { Kill } from './facts.ts';
import type { Load } from './load.ts';
import { Random } from './random.ts';
import type { Receiver } from './receiver.ts';
import { socketOwner } from './socket-owner.ts';

const READY_LIMIT_MS = 60_000;

export interface Victims {
  apis: readonly Program[];
  workers: readonly Program[];
  database: DatabaseServer;
  load: Load;
  receiver: Receiver;
}

/**
 * Kills workers, APIs and PostgreSQL, each kind on its own schedule, so that two or all three are down at times.
 * All decisions come from the seed.
 */
export class Killer {
  readonly kills: Kill[] = [];
  readonly #victims: Victims;
  readonly #seed: number;
  #hold = false;

  constructor(victims: Victims, seed: number) {
    this.#victims = victims;
    this.#seed = seed;
  }

  /** Kills until `signal` aborts, and returns when everything is up again. */
  async run(round: number, signal: AbortSignal): Promise<void> {
    const random = (kind: string) => new Random(this.#seed, `${kind} ${round}`);
    await Promise.all([
      this.#loop(random('worker'), [300, 1_800], signal, (own) => this.#worker(own)),
      this.#loop(random('api'), [800, 3_500], signal, (own) => this.#api(own)),
      this.#loop(random('postgres'), [2_500, 7_000], signal, (own) => this.#postgres(own)),
    ]);
  }

  async #loop(
    random: Random,
    [shortest, longest]: [number, number],
    signal: AbortSignal,
    strike: (random: Random) => Promise<void>,
  ): Promise<void> {
    while (!signal.aborted) {
      await sleep(random.between(shortest, longest), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await strike(random);
    }
  }

  async #worker(random: Random): Promise<void> {
    const { workers, receiver } = this.#victims;
    const pause = random.between(100, 1_500);
    let victim = random.pick(workers);
    // In turn, so that even a short run has both.
    this.#hold = !this.#hold;
    if (!this.#hold) return this.#killed('worker, at random', victim, pause);

    const held = await receiver.holdNext(3_000);
    if (!held) return;
    const pids = workers.flatMap(({ pid }) => pid ?? []);
    const owner = socketOwner(held.remotePort, held.localPort, pids);
    victim = workers.find(({ pid }) => pid !== undefined && pid === owner) ?? victim;
    await this.#killed('worker, between send and mark', victim, pause, held.release);
  }

  async #api(random: Random): Promise<void> {
    const { apis, load } = this.#victims;
    const pause = random.between(100, 1_500);
    const victim = random.between(0, apis.length - 1);
    const delay = random.between(0, 8);
    if (random.chance(0.4)) return this.#killed('api, at random', apis[victim]!, pause);
    const posted = await Promise.race([load.nextPost(), sleep(3_000)]);
    if (posted === undefined) return;
    await sleep(delay);
    await this.#killed('api, inside a POST', apis[posted]!, pause);
  }

  async #killed(kind: string, program: Program, pauseMs: number, then = () => {}): Promise<void> {
    this.kills.push({ at: Date.now(), kind });
    await program.kill();
    then();
    await sleep(pauseMs);
    await program.start(READY_LIMIT_MS);
  }

  async #postgres(random: Random): Promise<void> {
    this.kills.push({ at: Date.now(), kind: 'PostgreSQL' });
    await this.#victims.database.kill();
    await sleep(random.between(200, 2_000));
    await this.#victims.database.restart();
  }
}
