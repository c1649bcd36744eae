import type { Delivery } from './facts.ts';

/** Where they are told first, and where they are told when nobody has acknowledged. */
export const FIRST = '/first';
export const NEXT = '/next';

/** What somebody has done about one alert, each step only after the one before was answered 2xx. Times in ms since 1970. */
export interface Story {
  id: string;
  kind: 'silenced' | 'paged' | 'heartbeat';
  /** The alert, or the one beat, was accepted; undefined: never. */
  raisedAt?: number | undefined;
  /** Silenced: when its end was asked for, and whether that was accepted. */
  unsilencedAt?: number | undefined;
  unsilenced?: boolean | undefined;
  /** Paged: acknowledged, and that was accepted so long before the next are told that it counts. */
  acknowledgedInTime?: boolean | undefined;
  /** Paged: how often the history has the acknowledgement. */
  recorded?: number | undefined;
  /** Heartbeat: that it is well again was accepted. */
  well?: boolean | undefined;
  /** A request was sent again because nobody could say whether it had counted. */
  uncertain: boolean;
}

export interface PeopleFacts {
  stories: readonly Story[];
  /** What was answered as it never should be. */
  refusals: readonly string[];
  deliveries: readonly Delivery[];
}
