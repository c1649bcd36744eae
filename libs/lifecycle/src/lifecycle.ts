import { setMaxListeners } from 'node:events';
import { Logger } from '@nestjs/common';
import { lifecycleState, lifecycleStates } from './lifecycle.metrics.js';
import { TimeLimitError, withTimeLimit } from './time-limit.js';

export type LifecycleState = (typeof lifecycleStates)[number];

export interface StopOptions {
  /** After this the stop counts as failed and the next one begins. 10 s unless told. */
  timeoutMs?: number;
}

/** How one stop went. */
export interface StopResult {
  name: string;
  outcome: 'stopped' | 'failed' | 'timed out';
  durationMs: number;
}

interface Stop {
  name: string;
  run: () => Promise<void> | void;
  timeoutMs: number;
}

const defaultStopTimeoutMs = 10_000;

/**
 * The life of the process: starting → ready → draining → stopped, never backwards.
 *
 * Whoever opens something registers how it is closed. Stops run last in, first out, each with a time limit of its own:
 * one that fails or hangs is logged and never keeps the next from running.
 *
 * @example lifecycle.onStop('database', () => dataSource.destroy(), { timeoutMs: 5_000 })
 */
export class Lifecycle {
  private current: LifecycleState = 'starting';
  private readonly stops: Stop[] = [];
  private readonly reloads = new Map<string, () => Promise<void> | void>();
  private readonly listeners = new Set<(state: LifecycleState) => void>();
  private readonly draining = new AbortController();
  private readonly logger = new Logger(Lifecycle.name);
  private stopping?: Promise<readonly StopResult[]>;

  constructor() {
    // Every long task may listen; that is its purpose and no leak.
    setMaxListeners(0, this.draining.signal);
  }

  get state(): LifecycleState {
    return this.current;
  }

  /** Aborts when draining starts, so that long work can stop early and report how far it came. */
  get drainSignal(): AbortSignal {
    return this.draining.signal;
  }

  /** Whether anything can be reloaded, that is, whether SIGHUP has a meaning other than "stop". */
  get reloadable(): boolean {
    return this.reloads.size > 0;
  }

  /** Registers how to close something. Throws once everything is stopped: what is opened then would never be closed. */
  onStop(name: string, stop: () => Promise<void> | void, { timeoutMs = defaultStopTimeoutMs }: StopOptions = {}): void {
    if (this.current === 'stopped') throw new Error(`${name} was started after the process had stopped`);
    this.stops.push({ name, run: stop, timeoutMs });
  }

  /** Registers what to read again on SIGHUP. A function that throws keeps what it had; the fault is logged. */
  onReload(name: string, reload: () => Promise<void> | void): void {
    this.reloads.set(name, reload);
  }

  /** Calls the listener at each change of state; returns how to end that. */
  onStateChange(listener: (state: LifecycleState) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Start-up is complete: readiness turns green. Without effect once draining has begun. */
  ready(): void {
    if (this.current === 'starting') this.enter('ready');
  }

  /** Readiness turns red and {@link drainSignal} aborts, while requests are still served. */
  drain(): void {
    if (this.current === 'draining' || this.current === 'stopped') return;
    this.enter('draining');
    this.draining.abort(new Error('the process is draining'));
  }

  /** Runs all reloads, one after the other. True if none failed. */
  async reload(): Promise<boolean> {
    let clean = true;
    for (const [name, run] of this.reloads) {
      try {
        await run();
        this.logger.log(`Reloaded ${name}`);
      } catch (error) {
        clean = false;
        this.logger.error(`Could not reload ${name}; the old state stays`, error);
      }
    }
    return clean;
  }

  /** Drains if need be and runs every stop, last in, first out. Calling it again returns the same results. */
  stop(): Promise<readonly StopResult[]> {
    this.drain();
    this.stopping ??= this.runStops();
    return this.stopping;
  }

  private async runStops(): Promise<StopResult[]> {
    const results: StopResult[] = [];
    for (let stop = this.stops.pop(); stop; stop = this.stops.pop()) results.push(await this.runStop(stop));
    this.enter('stopped');
    return results;
  }

  private async runStop({ name, run, timeoutMs }: Stop): Promise<StopResult> {
    const started = performance.now();
    const result = (outcome: StopResult['outcome']) => ({
      name,
      outcome,
      durationMs: Math.round(performance.now() - started),
    });
    try {
      await withTimeLimit(run, timeoutMs);
      this.logger.debug(`Stopped ${name}`);
      return result('stopped');
    } catch (error) {
      if (error instanceof TimeLimitError) {
        this.logger.error(`${name} did not stop within ${timeoutMs} ms; going on without it`);
        return result('timed out');
      }
      this.logger.error(`${name} failed to stop`, error);
      return result('failed');
    }
  }

  private enter(state: LifecycleState): void {
    this.current = state;
    for (const each of lifecycleStates) lifecycleState.set({ state: each }, each === state ? 1 : 0);
    for (const listener of this.listeners) {
      try {
        listener(state);
      } catch (error) {
        this.logger.error(`A listener failed at the change to ${state}`, error);
      }
    }
  }
}
