/** What was seen from outside, by the sender and by the receiver: all that the judgement may rest on. */
export type AlertStatus = 'firing' | 'resolved';

/**
 * What the sender knows of a POST: 2xx, 4xx, or neither. A 5xx leaves it open, as a broken connection does: the
 * database may have committed before it went.
 */
export type Outcome = 'accepted' | 'refused' | 'unknown';

export interface Post {
  status: AlertStatus;
  outcome: Outcome;
  /** Milliseconds since 1970, when the answer came or failed to. */
  at: number;
}

/** One alert, its own label set and its own group. Its posts never overlap. */
export interface SentAlert {
  id: string;
  /** An invalid one must be refused. */
  valid: boolean;
  posts: Post[];
}

/** One webhook request as it arrived. */
export interface Delivery {
  at: number;
  path: string;
  key: string;
  bodyHash: string;
  alerts: readonly { id: string; status: AlertStatus }[];
  /** When it was answered with 200; undefined if it never was. */
  deliveredAt?: number;
}

export interface Kill {
  at: number;
  kind: string;
}

/** An alert as the API lists it at the end. */
export interface ListedAlert {
  id: string;
  state: string;
  occurrences: number;
}

export interface Facts {
  sent: ReadonlyMap<string, SentAlert>;
  deliveries: readonly Delivery[];
  kills: readonly Kill[];
  /** Processes that ended though nobody killed them. */
  deaths: readonly string[];
}
