import type { LiveEvent } from './event-feed.js';
import { frameOf } from './protocol.js';

export interface RecentEvent {
  readonly event: LiveEvent;
  /** As it goes to every client: written once. */
  readonly frame: Buffer;
}

/**
 * The latest events of a process, for all its clients: each only has a position in them. Beyond the limits the oldest go.
 * Positions count on for ever, so that a client sees when its own is gone.
 */
export class RecentEvents {
  private entries: RecentEvent[] = [];
  private first = 0;
  private bytes = 0;
  private before = 0;
  private latest = 0;

  constructor(private readonly limits: { events: number; bytes: number }) {}

  /** Forgets everything and begins after this id. */
  startAfter(id: number): void {
    this.first = this.end;
    this.entries = [];
    this.bytes = 0;
    this.before = this.latest = id;
  }

  /** The position of the oldest event. */
  get start(): number {
    return this.first;
  }

  /** The position of the next event to come. */
  get end(): number {
    return this.first + this.entries.length;
  }

  /** Every event with an id above this one is here, or yet to come. */
  get since(): number {
    return this.before;
  }

  /** The id of the latest. */
  get head(): number {
    return this.latest;
  }

  at(position: number): RecentEvent | undefined {
    return this.entries[position - this.first];
  }

  /** The position of the first event after this id. */
  positionAfter(id: number): number {
    const index = this.entries.findLastIndex(({ event }) => event.id <= id);
    return this.first + index + 1;
  }

  push(events: readonly LiveEvent[]): void {
    for (const event of events) {
      const frame = frameOf({ ...event, id: String(event.id) });
      this.entries.push({ event, frame });
      this.bytes += frame.length;
      this.latest = event.id;
    }
    let gone = 0;
    for (; this.entries.length - gone > this.limits.events || this.bytes > this.limits.bytes; gone++) {
      const { event, frame } = this.entries[gone]!;
      this.bytes -= frame.length;
      this.before = event.id;
    }
    if (gone === 0) return;
    this.entries = this.entries.slice(gone);
    this.first += gone;
  }
}
