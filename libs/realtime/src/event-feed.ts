/** Something that has happened, as clients are told of it. */
export interface LiveEvent {
  readonly id: number;
  /** Such as `alert.fired`. Names without a dot are the protocol's own. */
  readonly type: string;
  /** RFC 3339. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventRange {
  /** Ids above this one. */
  after: number;
  /** Up to and including this one; without it, to the end. */
  upTo?: number;
  limit: number;
}

export type EventFilter = (event: LiveEvent) => boolean;

/**
 * A log of events in a database, of which each process reads the same. Ids grow in the order in which they are given out;
 * transactions may commit in another.
 */
export abstract class EventFeed {
  /** The events that are visible now, by ascending id. */
  abstract read(range: EventRange): Promise<LiveEvent[]>;

  /** The highest id that is visible now; 0 if there is none. */
  abstract last(): Promise<number>;

  /**
   * The transactions that may have taken an id and have not ended. Whoever takes one is among them before, and leaves them
   * only when its events are visible, or will never be. A name is never used for two.
   */
  abstract writers(): Promise<readonly string[]>;

  /** Whether all that came after this id is still there. */
  abstract canResumeFrom(id: number): Promise<boolean>;

  /** @throws Error whose message tells the client what is wrong with its matchers */
  abstract filterOf(matchers: readonly string[]): EventFilter;
}
