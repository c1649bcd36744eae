import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { type LogContext, runInContext } from 'eyrie/logging';
import type { RawData, WebSocket } from 'ws';
import type { EventFilter, LiveEvent } from './event-feed.js';
import {
  closeCodes,
  type ControlMessage,
  frameOf,
  parseSubscription,
  ProtocolFault,
  type Subscription,
} from './protocol.js';
import { clientsDropped, type DropReason, messagesSent } from './realtime.metrics.js';
import type { RecentEvents } from './recent-events.js';

/** How long a client may take to say what it wants. */
const subscribeWithinMs = 1_000;
/** How long a client may take to answer that it is being closed. */
const closeWithinMs = 3_000;

/** What a client needs of those around it. */
export interface Surroundings {
  recent: RecentEvents;
  heartbeatMs: number;
  /** So many events behind a client counts as slow. */
  backlog: number;
  /** Called once: what the client asked for, or nothing at all. It then calls {@link LiveClient.begin}. */
  onSubscribe(client: LiveClient, subscription: Subscription): Promise<void>;
  /** The events after an id which are no longer recent; at most so many that they are worth a query. */
  readOlder: (after: number) => Promise<LiveEvent[]>;
}

/** One WebSocket. What it has still to be sent is nowhere but in its position in the events. */
export class LiveClient {
  private readonly logger = new Logger('LiveEvents');
  private state: 'waiting' | 'subscribing' | 'replaying' | 'live' | 'closing' = 'waiting';
  private wants: EventFilter = () => true;
  /** All events up to this id were sent, or are not wanted. */
  private cursor = 0;
  private position = 0;
  /** How many events it may be behind: at first as many as it has missed, and so many more. */
  private allowance = Infinity;
  private isAlive = true;
  private isTooLate = false;
  private onDrain?: () => void;
  private readonly subscribeTimer: NodeJS.Timeout;
  private closeTimer?: NodeJS.Timeout;
  readonly closed = Promise.withResolvers<void>();

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Socket,
    private readonly context: Partial<LogContext>,
    private readonly surroundings: Surroundings,
  ) {
    this.subscribeTimer = setTimeout(() => this.inContext(() => this.subscribe({}, true)), subscribeWithinMs);
    ws.on('message', (data: RawData, isBinary: boolean) =>
      this.inContext(() => this.receive(data as Buffer, isBinary)),
    );
    ws.on('pong', () => (this.isAlive = true));
    // Pongs for somebody who does not read them would pile up.
    ws.on('ping', (data: Buffer) => {
      if (!socket.writableNeedDrain) ws.pong(data);
    });
    // What breaks WebSocket's own rules ws answers by itself, with the right code.
    ws.on('error', (error) => this.inContext(() => this.noteDrop('protocol', error.message)));
    ws.once('close', () => {
      this.state = 'closing';
      clearTimeout(this.subscribeTimer);
      clearTimeout(this.closeTimer);
      this.onDrain?.();
      this.closed.resolve();
    });
    socket.on('drain', () => {
      this.onDrain?.();
      this.pump();
    });
  }

  /** Starts what was subscribed to, after an id. */
  async begin(opening: 'hello' | 'reset', after: number, wants: EventFilter): Promise<void> {
    if (this.state !== 'subscribing') return;
    this.state = 'replaying';
    this.cursor = after;
    this.wants = wants;
    this.allowance = Math.max(0, this.surroundings.recent.head - after) + this.surroundings.backlog;
    this.say({ type: opening, id: String(after), heartbeatMs: this.surroundings.heartbeatMs });
    await this.replay();
  }

  /** Sends what is new, as far as the client takes it. One that stays too far behind is given up. */
  pump(): void {
    const { recent } = this.surroundings;
    if (this.state === 'live' && this.position < recent.start) this.catchUp();
    else if (this.state === 'live') this.sendRecent();
    if (this.isTold && recent.head - this.cursor > this.allowance) {
      this.say({ type: 'slow', id: String(this.cursor) });
      this.drop('slow', closeCodes.tryAgainLater, 'too far behind');
    }
  }

  /** Asks whether the peer is still there, and tells it how far it is. One that has not answered the last time is given up. */
  beat(now: Date): void {
    if (this.state === 'closing') return;
    if (!this.isAlive) {
      this.noteDrop('dead', 'no answer to a ping');
      return this.ws.terminate();
    }
    this.isAlive = false;
    this.ws.ping();
    if (this.state === 'live' && !this.socket.writableNeedDrain) {
      this.say({ type: 'heartbeat', id: String(this.cursor), at: now.toISOString() });
    }
  }

  /** Tells the client to come again, and closes it. */
  restart(retryInMs: number): void {
    if (this.state === 'closing') return;
    if (this.isTold) this.say({ type: 'restart', id: String(this.cursor), retryInMs });
    this.close(closeCodes.serviceRestart, 'the server restarts');
  }

  drop(reason: DropReason, code: number, message: string): void {
    if (this.state === 'closing') return;
    this.noteDrop(reason, message);
    this.close(code, message);
  }

  terminate(): void {
    this.ws.terminate();
  }

  /** Whether the client knows where it is, and so may be told of it. */
  private get isTold(): boolean {
    return this.state === 'replaying' || this.state === 'live';
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (this.state === 'closing') return;
    try {
      const subscription = parseSubscription(data, isBinary);
      if (this.state !== 'waiting') {
        const late = this.isTooLate ? `wanted within ${subscribeWithinMs} ms` : 'wanted once';
        throw new ProtocolFault(closeCodes.policyViolation, `subscribe: ${late}`);
      }
      this.subscribe(subscription);
    } catch (error) {
      this.refuse(error);
    }
  }

  private subscribe(subscription: Subscription, isTooLate = false): void {
    if (this.state !== 'waiting') return;
    this.isTooLate = isTooLate;
    this.state = 'subscribing';
    clearTimeout(this.subscribeTimer);
    this.surroundings.onSubscribe(this, subscription).catch((error: unknown) => this.refuse(error));
  }

  private refuse(error: unknown): void {
    if (this.state === 'closing') return;
    if (error instanceof ProtocolFault) {
      this.say({ type: 'error', detail: error.message });
      return this.drop('protocol', error.closeCode, error.message);
    }
    this.logger.warn(`Events could not be read for a client: ${String(error)}`);
    this.drop('unavailable', closeCodes.tryAgainLater, 'events cannot be read at the moment');
  }

  private catchUp(): void {
    this.state = 'replaying';
    this.replay().catch((error: unknown) => this.refuse(error));
  }

  private sendRecent(): void {
    const { recent } = this.surroundings;
    if (this.position >= recent.end || this.socket.writableNeedDrain) return;
    this.socket.cork(); // all of it in one system call
    let sent = 0;
    while (this.position < recent.end && !this.socket.writableNeedDrain) {
      const { event, frame } = recent.at(this.position++)!;
      sent += this.offer(event, frame);
    }
    this.socket.uncork();
    if (sent > 0) messagesSent.inc({ kind: 'event' }, sent);
  }

  /** From the feed until the recent events take over: as fast as the client reads, and never all at once. */
  private async replay(): Promise<void> {
    const { recent, readOlder } = this.surroundings;
    while (this.state === 'replaying') {
      if (this.cursor >= recent.since) {
        this.position = recent.positionAfter(this.cursor);
        this.state = 'live';
        this.allowance = this.surroundings.backlog;
        return this.pump();
      }
      const { head } = recent;
      const events = await readOlder(this.cursor);
      if (events.length === 0) this.cursor = Math.max(this.cursor, head);
      for (const event of events) {
        if (this.socket.writableNeedDrain) await this.drained();
        if (this.state !== 'replaying') return;
        if (this.offer(event, frameOf({ ...event, id: String(event.id) })) > 0) messagesSent.inc({ kind: 'event' });
      }
    }
  }

  /** How many messages it made: one, or none where it is not wanted, or was sent by another process before. */
  private offer(event: LiveEvent, frame: Buffer): 0 | 1 {
    if (event.id <= this.cursor) return 0;
    this.cursor = event.id;
    if (!this.wants(event)) return 0;
    this.ws.send(frame, { binary: false });
    return 1;
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      this.onDrain = () => {
        this.onDrain = undefined;
        resolve();
      };
    });
  }

  private say(message: ControlMessage): void {
    this.ws.send(frameOf(message), { binary: false });
    messagesSent.inc({ kind: 'control' });
  }

  private close(code: number, reason: string): void {
    this.state = 'closing';
    clearTimeout(this.subscribeTimer);
    this.onDrain?.();
    this.ws.close(code, reason.slice(0, 120));
    this.closeTimer = setTimeout(() => this.ws.terminate(), closeWithinMs);
    this.closeTimer.unref();
  }

  private noteDrop(reason: DropReason, message: string): void {
    clientsDropped.inc({ reason });
    this.inContext(() => this.logger.log(`Dropped a WebSocket (${reason}): ${message}`));
  }

  private inContext<T>(work: () => T): T {
    return runInContext(this.context, work);
  }
}
