import { EventEmitter } from 'node:events';
import { type Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import type { Lifecycle } from 'eyrie/lifecycle';
import { type FromMember, type FromPrimary, kindOf, type StopSignal } from './messages.js';

/** What a member needs of its process, and of `cluster.worker`. */
export interface MemberProcess extends EventEmitter {
  readonly connected: boolean;
  send?(message: FromMember, handle: undefined, options: object, done: (error: Error | null) => void): boolean;
  exit(status: number): void;
}

export interface MemberOptions {
  /** 0 is no limit. */
  maxRequests: number;
  maxRequestsJitter: number;
  /** How long, when it is replaced, clients that are idle keep their connections. */
  lingerMs: number;
  /** From 0 to 1. */
  random?: () => number;
}

/**
 * This process as one of several. The primary speaks for the container: what a terminal or an orchestrator signals to
 * the whole group is left to it, and its word comes as a message, which {@link signals} emits as the signal it means.
 */
export class ClusterMember {
  /** Emits SIGTERM and SIGINT when the primary wants this process to end; a second one means at once. */
  readonly signals = new EventEmitter();
  private retiring = false;
  private ending = false;
  private asked = false;

  constructor(
    private readonly options: MemberOptions,
    private readonly process: MemberProcess,
  ) {
    process.on('message', (message: unknown) => this.onMessage(message as FromPrimary));
    process.on('SIGINT', () => undefined);
    process.on('SIGHUP', () => undefined);
    process.on('SIGTERM', () => this.askToLeave('it received SIGTERM'));
  }

  /** Whether others go on while this process drains. */
  get isRetiring(): boolean {
    return this.retiring;
  }

  get lingerMs(): number {
    return this.retiring ? this.options.lingerMs : 0;
  }

  /** Tells the primary when the app is ready, and when it has answered its share of requests. */
  serve(server: HttpServer, lifecycle: Lifecycle): void {
    // Else the primary offers a connection that is one too many to every process, over and over.
    (server as { dropMaxConnection?: boolean }).dropMaxConnection = true;
    this.countRequests(server);
    lifecycle.onStateChange((state) => {
      if (state === 'ready') this.tell({ kind: 'eyrie:ready' });
      if (state === 'draining') this.leave(server);
    });
  }

  /** The primary is gone, and nobody else listens on the port: drains and ends. */
  orphaned(): void {
    this.end('SIGTERM');
  }

  private leave(server: HttpServer): void {
    if (!this.ending) {
      this.ending = true;
      this.tell({ kind: 'eyrie:leaving' });
    }
    // Of http.Server.close() the half that ends listening; the other half closes connections that are idle just now,
    // perhaps under a request that is on its way. What the primary still offers meanwhile goes back to it.
    if (this.retiring) Server.prototype.close.call(server);
  }

  private countRequests(server: HttpServer): void {
    const { maxRequests, maxRequestsJitter, random = Math.random } = this.options;
    if (maxRequests === 0) return;
    let left = maxRequests + Math.round((2 * random() - 1) * maxRequestsJitter);
    server.on('request', () => {
      left -= 1;
      if (left === 0) this.askToLeave(`it has received ${maxRequests} requests, give or take ${maxRequestsJitter}`);
    });
  }

  private askToLeave(reason: string): void {
    if (this.asked) return;
    this.asked = true;
    this.tell({ kind: 'eyrie:recycle', reason });
  }

  private onMessage(message: FromPrimary): void {
    switch (kindOf(message)) {
      case 'eyrie:stop': {
        const { signal, retire } = message as FromPrimary & { kind: 'eyrie:stop' };
        this.retiring = retire;
        return this.end(signal);
      }
      case 'eyrie:force': {
        const { signal } = message as FromPrimary & { kind: 'eyrie:force' };
        this.end(signal);
        this.signals.emit(signal); // the second time, which means at once
        return;
      }
    }
  }

  private end(signal: StopSignal): void {
    if (this.ending) return;
    this.ending = true;
    // Nobody listens as long as the app is being loaded: then there is nothing to drain either.
    if (!this.signals.emit(signal)) this.process.exit(0);
  }

  private tell(message: FromMember): void {
    if (this.process.connected) this.process.send?.(message, undefined, {}, () => undefined);
  }
}
