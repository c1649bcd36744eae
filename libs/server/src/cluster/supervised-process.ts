import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { type Broadcast, type FromPrimary, kindOf, type StopSignal } from './messages.js';

/** What a process that was forked emits: what it sends, and at its end its status or its signal. */
export interface ForkedProcessEvents {
  message: [message: unknown];
  exit: [status: number | null, signal: NodeJS.Signals | null];
}

/** A process that was forked. */
export interface ForkedProcess extends EventEmitter<ForkedProcessEvents> {
  readonly pid: number | undefined;
  /** Without effect where the process is gone. */
  send(message: FromPrimary): void;
  kill(signal: NodeJS.Signals): void;
}

export interface Exit {
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** starting → ready → leaving → gone; a process may skip any of them. */
export type ProcessState = 'starting' | 'ready' | 'leaving' | 'gone';

/** One of the processes as the primary knows it. */
export class SupervisedProcess {
  /** True once it is ready, false if it is gone before. */
  readonly whenReady: Promise<boolean>;
  readonly whenGone: Promise<Exit>;
  /** It was told to end. */
  dismissed = false;
  /** It asked to be replaced. */
  asked = false;
  private current: ProcessState = 'starting';
  private readyAt?: number;
  private exit?: Exit;
  private killed?: string;

  constructor(
    private readonly forked: ForkedProcess,
    private readonly now: () => number = () => performance.now(),
  ) {
    const ready = Promise.withResolvers<boolean>();
    const gone = Promise.withResolvers<Exit>();
    this.whenReady = ready.promise;
    this.whenGone = gone.promise;
    forked.on('message', (message) => {
      if (kindOf(message) !== 'eyrie:ready' || this.current !== 'starting') return;
      this.current = 'ready';
      this.readyAt = this.now();
      ready.resolve(true);
    });
    forked.once('exit', (status, signal) => {
      this.current = 'gone';
      this.exit = { status, signal };
      ready.resolve(false);
      gone.resolve(this.exit);
    });
  }

  get pid(): number | undefined {
    return this.forked.pid;
  }

  get state(): ProcessState {
    return this.current;
  }

  /** How long it has been ready, in ms; `undefined` if it never was. */
  get servedMs(): number | undefined {
    return this.readyAt === undefined ? undefined : this.now() - this.readyAt;
  }

  /** Whether it ended by itself with status 0, or before there was anything to drain. */
  get endedCleanly(): boolean {
    return this.exit?.status === 0 || (this.readyAt === undefined && this.killed === undefined);
  }

  /** What it died of, in words. */
  get cause(): string {
    const { status, signal } = this.exit ?? {};
    const how = signal ? `signal ${signal}` : `status ${status}`;
    return this.killed === undefined ? how : `${how} (${this.killed})`;
  }

  /** The status with which a shell would report its end; never 0, whose meaning is that all is well. */
  get failureStatus(): number {
    const { status, signal } = this.exit ?? {};
    return (signal ? 128 + constants.signals[signal] : status) || 1;
  }

  send(message: Broadcast): void {
    if (this.current !== 'gone') this.forked.send(message);
  }

  /** It drains by itself. */
  leave(): void {
    if (this.current !== 'gone') this.current = 'leaving';
  }

  /** Tells it to drain and end, unless it does already. */
  stop(signal: StopSignal, { retire }: { retire: boolean }): void {
    if (this.current !== 'starting' && this.current !== 'ready') return;
    this.current = 'leaving';
    this.dismissed = true;
    this.forked.send({ kind: 'eyrie:stop', signal, retire });
  }

  /** Tells it to end at once. */
  force(signal: StopSignal): void {
    if (this.current !== 'gone') this.forked.send({ kind: 'eyrie:force', signal });
  }

  kill(why: string): void {
    if (this.current === 'gone') return;
    this.killed ??= why;
    this.forked.kill('SIGKILL');
  }

  /** Kills it if it is not ready, or not gone, when the time is over. */
  async within(ms: number, until: 'ready' | 'gone', why: string): Promise<void> {
    const timer = setTimeout(() => this.kill(why), ms);
    await (until === 'ready' ? this.whenReady : this.whenGone);
    clearTimeout(timer);
  }
}
