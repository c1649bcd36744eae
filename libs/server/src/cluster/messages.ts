/**
 * What a process of a cluster and its primary tell each other, over Node's own IPC. Other libraries send messages of
 * kinds of their own over the same channel.
 */
export type FromMember =
  /** It serves. */
  | { kind: 'eyrie:ready' }
  /** It wants to be replaced: it has answered its share of requests, or was told to stop by itself. */
  | { kind: 'eyrie:recycle'; reason: string }
  /** It drains though nobody told it to, as after an uncaught exception. */
  | { kind: 'eyrie:leaving' }
  | Broadcast;

export type FromPrimary =
  | {
      /** Drain and end. */
      kind: 'eyrie:stop';
      signal: StopSignal;
      /** Others go on: nothing new comes to this process, and its clients are given time to go to them. */
      retire: boolean;
    }
  /** End at once. */
  | { kind: 'eyrie:force'; signal: StopSignal }
  | Broadcast;

/** To be handed to every other process of the container; a sticky one, the last of its channel, to later ones too. */
export interface Broadcast {
  kind: 'eyrie:broadcast';
  channel: string;
  data: unknown;
  sticky?: boolean;
}

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** The kind of a message, whoever sent it. */
export function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? (message as { kind?: unknown }).kind : undefined;
}

export function isBroadcast(message: unknown): message is Broadcast {
  return kindOf(message) === 'eyrie:broadcast' && typeof (message as Partial<Broadcast>).channel === 'string';
}
