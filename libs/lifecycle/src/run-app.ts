import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { flushLogs, installedLogger, installLogger, type LoggingSettings } from 'eyrie/logging';
import type { LifecycleSettings } from './lifecycle.config.js';
import { Lifecycle } from './lifecycle.js';
import { TimeLimitError, withTimeLimit } from './time-limit.js';

/** An app as {@link runApp} wants it. */
export interface AppSpec<App extends INestApplicationContext = INestApplicationContext> {
  /** The name in log lines. */
  name: string;
  /** Builds the app. The signal aborts when a stop is asked for meanwhile. */
  create(signal: AbortSignal): Promise<App>;
  /** Starts listening or consuming; returns what to log as ready. */
  start(app: App): Promise<string>;
  /** The settings of the app. With those of logging, lines before the app has its logger are structured as well. */
  settings: {
    readonly lifecycle: LifecycleSettings;
    readonly logging?: LoggingSettings;
    readonly environment?: string;
  };
  /** The version in log lines. */
  version?: string;
  /** The very last before the logs are flushed, whether the app was built or not, such as to send what is still pending. */
  last?(): Promise<void>;
}

let signals: EventEmitter = process;

/**
 * From here on stops and reloads are asked for by this emitter instead of the process: for one of several processes,
 * whose primary alone knows what a signal to the whole group means. To be called before {@link runApp}.
 */
export function takeSignalsFrom(source: EventEmitter): void {
  signals = source;
}

/**
 * Runs an app until it is told to stop, and ends the process.
 *
 * SIGTERM or SIGINT drains: readiness turns red, serving goes on for the drain delay, then requests in flight finish,
 * then every stop runs, then the logs are flushed. The exit status is 0 if all of that was clean and 1 if something
 * failed, hung, or the whole took longer than it may. A second signal ends the process at once with 128 + its number.
 * SIGHUP reloads what can be reloaded. An uncaught exception or an unhandled rejection is logged with its cause and
 * drains without the delay, with status 1.
 */
export async function runApp<App extends INestApplicationContext>(spec: AppSpec<App>): Promise<void> {
  await new Runner(spec).run();
}

/** For what is still pending at the end. */
const lastLimitMs = 3_000;

class Runner<App extends INestApplicationContext> {
  private readonly logger = new Logger('Lifecycle');
  private readonly abort = new AbortController();
  private app?: App;
  private lifecycle?: Lifecycle;
  private starting?: Promise<void>;
  private ending = false;
  private status = 0;

  constructor(private readonly spec: AppSpec<App>) {}

  async run(): Promise<void> {
    const { name, version = 'unknown', settings } = this.spec;
    const { logging, environment = 'unknown' } = settings;
    if (logging && !installedLogger()) installLogger({ ...logging, service: name, version, environment });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) signals.on(signal, () => this.onSignal(signal));
    signals.on('SIGHUP', () => this.onHangUp());
    process.on('uncaughtException', (error, origin) => this.onFatal(error, origin));
    process.on('unhandledRejection', (error) => this.onFatal(error, 'unhandledRejection'));
    this.starting = this.startUp();
    try {
      await this.starting;
    } catch (error) {
      if (this.isAskedFor(error)) return; // the drain that runs goes on
      this.logger.fatal(`${this.spec.name} could not start`, error);
      this.status = 1;
      if (!this.ending) await this.end('start-up failed', 0);
    }
  }

  private async startUp(): Promise<void> {
    this.app = await this.spec.create(this.abort.signal);
    this.lifecycle = this.app.get(Lifecycle, { strict: false });
    this.abort.signal.throwIfAborted();
    const message = await this.spec.start(this.app);
    this.abort.signal.throwIfAborted();
    this.lifecycle.ready();
    this.logger.log(message);
  }

  /** Whether start-up ended because a stop was asked for; Node's own AbortError carries the reason as its cause. */
  private isAskedFor(error: unknown): boolean {
    const { signal } = this.abort;
    return signal.aborted && (error === signal.reason || (error instanceof Error && error.cause === signal.reason));
  }

  private onSignal(signal: 'SIGTERM' | 'SIGINT'): void {
    if (this.ending) {
      this.logger.warn(`Received ${signal} again; ending at once`);
      this.exit(128 + constants.signals[signal]);
    }
    void this.end(`received ${signal}`, this.spec.settings.lifecycle.drainDelayMs);
  }

  private onHangUp(): void {
    if (this.ending) return;
    if (this.lifecycle?.reloadable) void this.lifecycle.reload();
    // Nothing to reload: SIGHUP keeps its older meaning, the terminal is gone.
    else void this.end('received SIGHUP', this.spec.settings.lifecycle.drainDelayMs);
  }

  private onFatal(error: unknown, origin: string): void {
    this.logger.fatal(origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception', error);
    this.flush(); // before anything else: the drain may hang or crash in its turn
    this.status = 1;
    if (!this.ending) void this.end(origin, 0);
  }

  private async end(why: string, drainDelayMs: number): Promise<void> {
    this.ending = true;
    const { name, settings } = this.spec;
    const limitMs = settings.lifecycle.shutdownTimeoutMs;
    try {
      const clean = await withTimeLimit(() => this.shutDown(why, drainDelayMs), limitMs);
      if (!clean) this.status = 1;
    } catch (error) {
      this.status = 1;
      if (error instanceof TimeLimitError) this.logger.fatal(`${name} did not stop within ${limitMs} ms; ending it`);
      else this.logger.fatal(`${name} failed to stop`, error);
    }
    await withTimeLimit(async () => this.spec.last?.(), lastLimitMs).catch((error: unknown) => {
      this.logger.warn('What was still pending could not be sent', error);
    });
    this.logger.log(`${name} ended with exit status ${this.status}`);
    this.exit(this.status);
  }

  private async shutDown(why: string, drainDelayMs: number): Promise<boolean> {
    this.logger.log(`${this.spec.name} is draining: ${why}`);
    const served = this.lifecycle?.state === 'ready';
    this.lifecycle?.drain();
    // One reason for both: a start-up that waits may listen to either.
    this.abort.abort(this.lifecycle?.drainSignal.reason ?? new Error(why));
    // Start-up is not torn down under its own feet: it sees the signal, or ends, and what it opened is then closed.
    await this.starting?.catch(() => undefined);
    if (served && drainDelayMs > 0) await sleep(drainDelayMs);
    await this.app?.close();
    const results = (await this.lifecycle?.stop()) ?? [];
    return results.every(({ outcome }) => outcome === 'stopped');
  }

  private exit(status: number): never {
    this.flush();
    process.exit(status);
  }

  /** Nest may still hold back lines until the app has its logger. */
  private flush(): void {
    Logger.flush();
    flushLogs();
  }
}
