import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  Optional,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Lifecycle, LIFECYCLE_SETTINGS, type LifecycleSettings } from 'eyrie/lifecycle';
import { currentContext } from 'eyrie/logging';
import { Problem } from 'eyrie/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocketServer } from 'ws';
import { EventFeed } from './event-feed.js';
import { EventReader } from './event-reader.js';
import { EventWakes } from './event-wakes.js';
import { LiveClient, type Surroundings } from './live-client.js';
import { closeCodes, ProtocolFault, SUBPROTOCOL, type Subscription } from './protocol.js';
import { connectionsActive } from './realtime.metrics.js';
import { REALTIME_OPTIONS, type RealtimeOptions } from './realtime.options.js';
import { RecentEvents } from './recent-events.js';
import { TurnTaker } from './turn-taker.js';
import { Upgrades } from './upgrades.js';

/** Whom a WebSocket belongs to. */
export interface Guest {
  /** Who counts as one for the limit of connections. */
  key: string;
  /** Asked at each heartbeat; once the answer is false, the WebSocket is closed. A failure changes nothing. */
  isStillWelcome: () => Promise<boolean>;
}

/** Few, because each client that replays holds so many while it reads them. */
const replayPage = 200;
/** Clients that read old events at the same time: a restart brings them all at once. */
const replaysAtOnce = 2;
const closeLimitMs = 2_000;
/** Of the drain delay: the rest is for the last ones to go. */
const spreadShare = 0.8;

/** The WebSockets of the process, and what they are told. */
@Injectable()
export class LiveEvents implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('LiveEvents');
  private readonly upgrades = new Upgrades();
  private readonly clients = new Map<LiveClient, Guest>();
  private readonly connectionsOf = new Map<string, number>();
  private readonly recent: RecentEvents;
  private readonly reader: EventReader;
  private readonly replays = new TurnTaker(replaysAtOnce);
  private server!: WebSocketServer;
  private readonly surroundings: Surroundings;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private endWakes?: () => void;
  private heartbeat?: NodeJS.Timeout;

  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly feed: EventFeed,
    private readonly wakes: EventWakes,
    private readonly lifecycle: Lifecycle,
    @Inject(REALTIME_OPTIONS) private readonly options: RealtimeOptions,
    @Optional() @Inject(LIFECYCLE_SETTINGS) private readonly lifecycleSettings?: LifecycleSettings,
  ) {
    this.recent = new RecentEvents({ events: options.backlog, bytes: options.backlogSize });
    this.reader = new EventReader(feed, {
      startAfter: (id) => this.recent.startAfter(id),
      onEvents: (events) => {
        this.recent.push(events);
        for (const client of this.clients.keys()) client.pump();
      },
    });
    this.surroundings = {
      recent: this.recent,
      heartbeatMs: options.heartbeatMs,
      backlog: options.backlog,
      onSubscribe: (client, subscription) => this.subscribe(client, subscription),
      readOlder: (after) =>
        this.replays.run(() => this.feed.read({ after, upTo: this.recent.head, limit: replayPage })),
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    // Here, so that a process that only writes events never loads it.
    const { WebSocketServer } = await import('ws');
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: this.options.messageSize,
      perMessageDeflate: false,
      autoPong: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.upgrades.attach(this.adapters.httpAdapter.getInstance<FastifyInstance>());
    this.lifecycle.onStateChange((state) => {
      if (state === 'draining') this.restartAll((this.lifecycleSettings?.drainDelayMs ?? 0) * spreadShare);
    });
    this.lifecycle.onStop('live events', () => this.idle());
  }

  /** Before HTTP closes: it would wait for them. */
  async beforeApplicationShutdown(): Promise<void> {
    const left = [...this.clients.keys()];
    this.restartAll(0);
    const limit = setTimeout(() => left.forEach((client) => client.terminate()), closeLimitMs);
    await Promise.all(left.map(({ closed }) => closed.promise));
    clearTimeout(limit);
  }

  /**
   * Answers a request with a WebSocket. Whether its caller may have one is for the route to know.
   * @throws Problem if it wants none, or cannot have one now
   */
  accept(request: FastifyRequest, reply: FastifyReply, guest: Guest): void {
    this.check(request, guest);
    const context = { ...currentContext() };
    reply.hijack();
    const { socket, head } = this.upgrades.accept(request.raw);
    this.server.handleUpgrade(request.raw, socket, head, (ws) => {
      this.add(new LiveClient(ws, socket, context, this.surroundings), guest);
    });
  }

  private check(request: FastifyRequest, { key }: Guest): void {
    if (!this.upgrades.has(request.raw)) {
      throw new Problem(426, 'upgrade-required', 'This is for WebSockets', {
        headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
      });
    }
    if (this.lifecycle.state === 'draining' || this.lifecycle.state === 'stopped') {
      throw new Problem(503, 'unavailable', 'The server is about to stop', { headers: { 'Retry-After': '1' } });
    }
    if (!this.isOriginAllowed(request)) {
      throw new Problem(403, 'origin-not-allowed', 'Pages of this origin may not connect', {
        detail: 'CORS_ORIGINS lists those that may.',
      });
    }
    if (this.clients.size >= this.options.connections) {
      throw new Problem(503, 'too-many-connections', 'There are too many WebSockets', {
        headers: { 'Retry-After': '5' },
      });
    }
    if ((this.connectionsOf.get(key) ?? 0) >= this.options.connectionsPerCaller) {
      throw new Problem(429, 'too-many-connections', 'You have too many WebSockets', {
        detail: `At most ${this.options.connectionsPerCaller} are served to one caller.`,
        headers: { 'Retry-After': '5' },
      });
    }
  }

  /** Programs send no origin; pages of the server itself, and those of the setting, may connect. */
  private isOriginAllowed({ headers: { origin }, host }: FastifyRequest): boolean {
    const { corsOrigins } = this.options;
    if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  private add(client: LiveClient, guest: Guest): void {
    if (this.clients.size === 0) this.work();
    this.clients.set(client, guest);
    const count = (by: 1 | -1) => {
      const connections = (this.connectionsOf.get(guest.key) ?? 0) + by;
      if (connections > 0) this.connectionsOf.set(guest.key, connections);
      else this.connectionsOf.delete(guest.key);
      connectionsActive.inc(by);
    };
    count(1);
    void client.closed.promise.then(() => {
      count(-1);
      this.clients.delete(client);
      if (this.clients.size === 0) void this.idle();
    });
  }

  private async subscribe(client: LiveClient, { after, types, matchers = [] }: Subscription): Promise<void> {
    const wanted = types && new Set(types);
    const matches = this.filterOf(matchers);
    await this.reader.start();
    const { head } = this.recent;
    const from = after ?? head;
    const opening = (await this.canResume(from)) ? 'hello' : 'reset';
    await client.begin(opening, opening === 'hello' ? from : head, (event) => {
      return (!wanted || wanted.has(event.type)) && matches(event);
    });
  }

  private filterOf(matchers: readonly string[]) {
    try {
      return this.feed.filterOf(matchers);
    } catch (error) {
      throw new ProtocolFault(closeCodes.policyViolation, `matchers: ${(error as Error).message}`);
    }
  }

  private async canResume(after: number): Promise<boolean> {
    const { since, head } = this.recent;
    if (after >= since && after <= head) return true;
    return head - after <= this.options.replay && (await this.replays.run(() => this.feed.canResumeFrom(after)));
  }

  private restartAll(spreadMs: number): void {
    for (const client of this.clients.keys()) {
      const retryInMs = 100 + Math.round(Math.random() * 900);
      if (spreadMs === 0) {
        client.restart(retryInMs);
        continue;
      }
      const timer = setTimeout(() => {
        this.restarts.delete(timer);
        client.restart(retryInMs);
      }, Math.random() * spreadMs);
      this.restarts.add(timer);
    }
  }

  private work(): void {
    void this.reader.start();
    this.endWakes = this.wakes.onWake(() => this.reader.wake());
    this.heartbeat = setInterval(() => this.beat(), this.options.heartbeatMs);
    this.heartbeat.unref();
  }

  /** Nobody is there, so nothing is read. */
  private async idle(): Promise<void> {
    clearInterval(this.heartbeat);
    for (const timer of this.restarts) clearTimeout(timer);
    this.restarts.clear();
    this.endWakes?.();
    this.endWakes = undefined;
    await this.reader.stop();
  }

  private beat(): void {
    const now = new Date();
    for (const [client, guest] of this.clients) {
      client.beat(now);
      guest
        .isStillWelcome()
        .then((isWelcome) => {
          if (!isWelcome)
            client.drop('credential', closeCodes.policyViolation, 'the API key or access token has ended');
        })
        .catch((error: unknown) => this.logger.debug(`A credential could not be checked: ${String(error)}`));
    }
  }
}
