import type { Format } from './exposition.js';
import type { Family } from './family.js';

/** What a worker says to the primary. */
export type FromWorker =
  /** It can be asked from now on. */
  | { kind: 'eyrie:metrics:join' }
  /** It is being scraped: it wants the totals. */
  | { kind: 'eyrie:metrics:scrape'; id: number; format: Format }
  /** What it was asked for. */
  | { kind: 'eyrie:metrics:answer'; id: number; families: Family[] }
  /** Its last values: it is about to end, and not to be asked again. */
  | { kind: 'eyrie:metrics:final'; families: Family[] };

/** What the primary says to a worker. */
export type FromPrimary =
  | { kind: 'eyrie:metrics:ask'; id: number }
  | { kind: 'eyrie:metrics:totals'; id: number; text: string }
  | { kind: 'eyrie:metrics:kept' };

/** How long the primary waits for its workers; then it counts with what it knows of those that are silent. */
export const workerLimitMs = 1_000;

/** How long a worker waits for the primary. */
export const primaryLimitMs = 3_000;

/** Whether a message of the process channel, which others use too, is one of these. */
export function isOurs(message: unknown): message is FromWorker | FromPrimary {
  const kind = (message as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && kind.startsWith('eyrie:metrics:');
}
