import type { Delivery, Post, SentAlert } from '../chaos/facts.ts';

/** What a request asks for. Nginx may send reads and ingest again to another replica, but never a comment. */
export type RequestKind = 'read' | 'ingest' | 'comment';

/** A request that was not answered as it must be. Times are milliseconds since 1970. */
export interface Failure {
  kind: RequestKind;
  /** Method, path and what came instead of the answer. */
  what: string;
  sentAt: number;
  endedAt: number;
}

/** One stretch of the run: a deploy, a fault, or the quiet before. */
export interface Phase {
  name: string;
  startedAt: number;
  endedAt: number;
  /** Of every request that was begun in it, from the moment it was due to the end of its answer. */
  latenciesMs: number[];
  failures: Failure[];
}

/** A process that was killed outright: from before the signal until it was surely gone. */
export interface Kill {
  from: number;
  until: number;
}

/** A post with the moment it was sent, so that one that met a kill can be told. */
export interface TimedPost extends Post {
  sentAt: number;
}

export interface PostedAlert extends SentAlert {
  posts: TimedPost[];
}

/** What one client of live events was told, over all its connections. */
export interface LiveSight {
  client: string;
  /** All after this event was owed to it; undefined if it never was let in. */
  since: number | undefined;
  /** Ids of events in the order of their arrival. */
  seen: readonly number[];
  /** How often it was told that events are missing for good. */
  resets: number;
  connections: number;
}

/** Everything that was seen from outside. */
export interface RunFacts {
  phases: readonly Phase[];
  kills: readonly Kill[];
  sent: ReadonlyMap<string, PostedAlert>;
  deliveries: readonly Delivery[];
  live: readonly LiveSight[];
}
