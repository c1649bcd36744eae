import { type AlertState } from '../alert.js';
import { type Labels } from '../config/index.js';
import { type AlertOrigin } from '../ingest/origin.js';

/** An alert as a member of a group that is being flushed. Times in seconds since 1970. */
export interface Member {
  readonly group_id: string;
  readonly id: string;
  /** Signed decimal. */
  readonly fingerprint: string;
  state: AlertState;
  readonly current: boolean;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly generator_url: string;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly origin: AlertOrigin | null;
  /** Somebody takes care of it. */
  readonly acknowledged: boolean;
}

/** As a flush finds it. */
export interface GroupMember extends Member {
  /** Nobody is told of it for now. */
  readonly snoozed: boolean;
}

export interface Group {
  readonly id: string;
  readonly key: string;
  /** The route's id under the configuration that made the group. */
  readonly route: string;
  readonly labels: Labels;
}

export interface ClaimedGroup extends Group {
  /** Somebody may have been told of it before. */
  readonly told: boolean;
  /** The revision of the silences when it was claimed. */
  readonly silences: number;
}
