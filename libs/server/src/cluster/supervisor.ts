import { constants } from 'node:os';
import { Logger } from '@nestjs/common';
import { counter } from 'eyrie/metrics';
import { Broadcasts } from './broadcasts.js';
import { CrashPolicy } from './crash-policy.js';
import { isBroadcast, kindOf, type StopSignal } from './messages.js';
import { type ForkedProcess, SupervisedProcess } from './supervised-process.js';

const crashed = counter({
  name: 'server_processes_crashed_total',
  help: 'Processes of the container that ended though nobody had told them to.',
});
const recycled = counter({
  name: 'server_processes_recycled_total',
  help: 'Processes of the container that were replaced by another, which was ready before.',
});

export interface SupervisorOptions {
  /** How many processes to keep. */
  count: number;
  fork: () => ForkedProcess;
  startTimeoutMs: number;
  /** Within this a process ends by itself; a second later it is killed. */
  shutdownTimeoutMs: number;
  crashLimit: number;
  crashWindowMs: number;
}

/** A place that is to be filled: the process that does, and the one that is to replace it. */
interface Slot {
  process?: SupervisedProcess;
  successor?: SupervisedProcess;
  /** Successors that could not start, in a row. */
  failures: number;
}

/** A process has its own time limit and logs it; the primary sees only to those that cannot. */
const marginMs = 1_000;
/** For a process that is forced to end to write its last lines. */
const forcedMs = 500;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/**
 * Keeps so many processes running: replaces what dies, with growing pauses; replaces what asks for it, one at a time and
 * each only once its successor is ready; and ends them all together. Gives up when the first process cannot start, or
 * when too many die young.
 */
export class Supervisor {
  private readonly logger = new Logger('Processes');
  private readonly slots: Slot[];
  /** Every process that is not gone: those of the slots, their successors, and those that drain. */
  private readonly alive = new Set<SupervisedProcess>();
  private readonly broadcasts = new Broadcasts();
  private readonly crashes: CrashPolicy;
  /** Slots whose process is to be replaced, and why; in order. */
  private readonly due = new Map<Slot, string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly ended = Promise.withResolvers<number>();
  private started = false;
  private replacing = false;
  private stopping = false;
  /** The exit status once all was forced to end. */
  private forced?: number;

  constructor(private readonly options: SupervisorOptions) {
    this.slots = Array.from({ length: options.count }, () => ({ failures: 0 }));
    this.crashes = new CrashPolicy({ limit: options.crashLimit, windowMs: options.crashWindowMs });
  }

  /** Runs until all has ended; returns the exit status of the container. */
  async run(): Promise<number> {
    const [slot, ...others] = this.slots;
    // The first goes alone: what keeps it from starting would keep them all, and is to be read once.
    const process = this.fill(slot!);
    if (!(await process.whenReady) && !this.stopping) {
      this.logger.fatal(`The first process could not start: ${process.cause}`);
      return process.failureStatus;
    }
    this.started = true;
    if (!this.stopping) for (const other of others) this.fill(other);
    return this.ended.promise;
  }

  /** Replaces every process, one after the other. If a successor cannot start, the processes that are left stay. */
  recycle(reason: string): void {
    if (this.stopping) return;
    this.logger.log(`Replacing every process: ${reason}`);
    for (const slot of this.slots) this.due.set(slot, reason);
    void this.replaceDue();
  }

  /** Lets every process drain, all at once. Called again, it ends them at once. */
  async stop(signal: StopSignal): Promise<void> {
    if (!this.stopping) {
      this.logger.log(`Received ${signal}; every process drains`);
      return this.end(signal, 0);
    }
    this.logger.warn(`Received ${signal} again; ending at once`);
    this.forced = 128 + constants.signals[signal];
    const processes = [...this.alive];
    for (const process of processes) process.force(signal);
    await Promise.all(processes.map((process) => process.within(forcedMs, 'gone', 'forced')));
  }

  /** Lets every process drain because there is no point in going on. */
  async fail(status: number): Promise<void> {
    if (!this.stopping) await this.end('SIGTERM', status);
  }

  private async end(signal: StopSignal, status: number): Promise<void> {
    this.stopping = true;
    for (const timer of this.timers) clearTimeout(timer);
    const processes = [...this.alive];
    for (const process of processes) process.stop(signal, { retire: false });
    await Promise.all(processes.map((process) => this.untilGone(process)));
    const isClean = processes.every(({ endedCleanly }) => endedCleanly);
    this.ended.resolve(this.forced ?? (status || (isClean ? 0 : 1)));
  }

  private async untilGone(process: SupervisedProcess): Promise<void> {
    const limitMs = this.options.shutdownTimeoutMs + marginMs;
    await process.within(limitMs, 'gone', `it did not end within ${limitMs} ms`);
    if (process.endedCleanly) this.logger.debug(`Process ${process.pid} ended`);
    else this.logger.error(`Process ${process.pid} did not end cleanly: ${process.cause}`);
  }

  private fill(slot: Slot): SupervisedProcess {
    slot.process = this.fork(slot);
    return slot.process;
  }

  private fork(slot: Slot): SupervisedProcess {
    const { startTimeoutMs } = this.options;
    const forked = this.options.fork();
    const process = new SupervisedProcess(forked);
    this.alive.add(process);
    forked.on('message', (message) => this.onMessage(slot, process, message));
    forked.once('exit', () => this.onExit(slot, process));
    void process.within(startTimeoutMs, 'ready', `it was not ready within ${startTimeoutMs} ms`);
    return process;
  }

  private onMessage(slot: Slot, process: SupervisedProcess, message: unknown): void {
    if (isBroadcast(message)) {
      // One that still starts has nobody to listen yet; what is sticky it hears when it is ready.
      const others = [...this.alive].filter((other) => other !== process && other.state !== 'starting');
      return this.broadcasts.relay(message, others);
    }
    switch (kindOf(message)) {
      case 'eyrie:ready':
        this.logger.log(`Process ${process.pid} is ready`);
        return this.broadcasts.replay(process);
      case 'eyrie:recycle':
        if (slot.process !== process || process.asked) return;
        process.asked = true;
        return this.enqueue(slot, String((message as { reason?: unknown }).reason));
      case 'eyrie:leaving':
        process.leave();
        if (slot.process === process) this.lose(slot, process);
    }
  }

  private onExit(slot: Slot, process: SupervisedProcess): void {
    this.alive.delete(process);
    if (process.dismissed) return;
    crashed.inc();
    this.logger.error(`Process ${process.pid} died: ${process.cause}`);
    if (slot.process === process) this.lose(slot, process);
  }

  /** The process of a slot died, or is about to. Unless its successor is under way, another is forked after a pause. */
  private lose(slot: Slot, process: SupervisedProcess): void {
    slot.process = undefined;
    if (!this.started || this.stopping || slot.successor) return;
    const { pauseMs, isLoop } = this.crashes.died(process.servedMs);
    if (isLoop) {
      this.logger.fatal(`${this.options.crashLimit} processes died young; giving up`);
      void process.whenGone.then(() => this.fail(process.failureStatus));
      return;
    }
    this.logger.warn(`Starting another process in ${pauseMs} ms`);
    this.later(pauseMs, () => this.fill(slot));
  }

  private enqueue(slot: Slot, reason: string): void {
    if (!this.due.has(slot)) this.due.set(slot, reason);
    void this.replaceDue();
  }

  private async replaceDue(): Promise<void> {
    if (this.replacing) return;
    this.replacing = true;
    for (let next = firstOf(this.due); next && !this.stopping; next = firstOf(this.due)) {
      const [slot, reason] = next;
      this.due.delete(slot);
      await this.replace(slot, reason);
    }
    this.replacing = false;
  }

  private async replace(slot: Slot, reason: string): Promise<void> {
    const old = slot.process;
    // One that died is replaced already. One that starts may have read what is to be read anew, so it goes too.
    if (!old || !(await old.whenReady) || slot.process !== old || this.stopping) return;
    const successor = this.fork(slot);
    slot.successor = successor;
    const isReady = await successor.whenReady;
    slot.successor = undefined;
    if (this.stopping) return;
    if (!isReady) return this.keep(slot, reason, successor);
    slot.process = successor;
    slot.failures = 0;
    recycled.inc();
    this.logger.log(`Process ${successor.pid} replaces process ${old.pid}: ${reason}`);
    if (old.state === 'gone') return;
    old.stop('SIGTERM', { retire: true });
    await this.untilGone(old);
  }

  /** A successor could not start, so the old process stays; what asked to be replaced is tried again later. */
  private keep(slot: Slot, reason: string, successor: SupervisedProcess): void {
    if (!slot.process) return this.lose(slot, successor);
    this.logger.error(`A new process could not start; process ${slot.process.pid} stays`);
    for (const each of this.due.keys()) if (!each.process?.asked) this.due.delete(each);
    if (!slot.process.asked) return;
    this.later(Math.min(longestRetryMs, firstRetryMs * 2 ** slot.failures), () => this.enqueue(slot, reason));
    slot.failures += 1;
  }

  private later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.stopping) work();
    }, ms);
    this.timers.add(timer);
  }
}

function firstOf<K, V>(map: Map<K, V>): [K, V] | undefined {
  return map.entries().next().value;
}
