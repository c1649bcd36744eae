import { Logger } from '@nestjs/common';
import type { EventFeed, LiveEvent } from './event-feed.js';
import { SettledEvents } from './settled-events.js';

const pageSize = 1_000;
/** Reads are never closer to each other, however often somebody wakes the reader. */
const closestMs = 10;
/** How soon it looks again by itself: right after events, and when nothing has happened for a while. */
const busyMs = 250;
const idleMs = 1_000;
const busyForMs = 10_000;
const longestBlockedMs = 250;

/** Who is told of what is new. */
export interface EventListener {
  /** Reading begins after this id. */
  startAfter(id: number): void;
  /** What is new, in the order of the ids. */
  onEvents(events: readonly LiveEvent[]): void;
}

/**
 * Follows a feed for all clients of the process: one query a round, none unless somebody listens. It looks again after a
 * while by itself, and at once when it is woken.
 */
export class EventReader {
  private readonly logger = new Logger('LiveEvents');
  private run?: Run;

  constructor(
    private readonly feed: EventFeed,
    private readonly listener: EventListener,
  ) {}

  /** Begins at the end of the feed, unless it runs already. Resolves once it is there. */
  start(): Promise<void> {
    this.run ??= new Run(this.feed, this.listener, this.logger);
    return this.run.started;
  }

  /** Resolves when the last query has ended. */
  async stop(): Promise<void> {
    const { run } = this;
    this.run = undefined;
    await run?.stop();
  }

  /** There may be something new. */
  wake(): void {
    this.run?.wake();
  }
}

/** From a start to a stop. */
class Run {
  readonly started: Promise<void>;
  private readonly ended: Promise<void>;
  private readonly settled: SettledEvents;
  private readonly begun = Promise.withResolvers<void>();
  private stopped = false;
  private woken = false;
  private endPause?: () => void;
  private isFailing = false;
  private busyUntil = 0;
  private blockedMs = closestMs;

  constructor(
    feed: EventFeed,
    private readonly listener: EventListener,
    private readonly logger: Logger,
  ) {
    this.settled = new SettledEvents(feed);
    this.started = this.begun.promise;
    this.ended = this.loop();
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.begun.resolve();
    this.endPause?.();
    return this.ended;
  }

  wake(): void {
    this.woken = true;
    this.endPause?.();
  }

  private async loop(): Promise<void> {
    let step = () => this.begin();
    while (!this.stopped) {
      this.woken = false;
      const pauseMs = await this.attempt(step);
      if (pauseMs === undefined) step = () => this.advance();
      else await this.pause(pauseMs);
    }
  }

  private async attempt(step: () => Promise<number | undefined>): Promise<number | undefined> {
    try {
      const pauseMs = await step();
      if (this.isFailing) this.logger.log('Events can be read again');
      this.isFailing = false;
      return pauseMs;
    } catch (error) {
      if (!this.isFailing && !this.stopped) this.logger.warn(`Events cannot be read for now: ${String(error)}`);
      this.isFailing = true;
      return idleMs;
    }
  }

  /** Answers how long to wait before the next attempt, or nothing when it is done. */
  private async begin(): Promise<number | undefined> {
    if (!(await this.settled.seekEnd())) return this.blocked();
    if (this.stopped) return undefined;
    this.listener.startAfter(this.settled.head);
    this.begun.resolve();
    return undefined;
  }

  private async advance(): Promise<number> {
    const { events, state } = await this.settled.next(pageSize);
    if (this.stopped) return 0;
    if (events.length > 0) {
      this.busyUntil = performance.now() + busyForMs;
      this.listener.onEvents(events);
    }
    if (state === 'blocked') return this.blocked();
    this.blockedMs = closestMs;
    if (state === 'more') return 0;
    return performance.now() < this.busyUntil ? busyMs : idleMs;
  }

  /** Transactions that write are short: soon, and then less and less often. */
  private blocked(): number {
    const pauseMs = this.blockedMs;
    this.blockedMs = Math.min(pauseMs * 2, longestBlockedMs);
    return pauseMs;
  }

  private async pause(ms: number): Promise<void> {
    if (ms === 0) return new Promise(setImmediate);
    await wait(Math.min(ms, closestMs));
    if (this.stopped || this.woken || ms <= closestMs) return;
    await wait(ms - closestMs, (end) => (this.endPause = end));
    this.endPause = undefined;
  }
}

function wait(ms: number, onStart?: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    onStart?.(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
