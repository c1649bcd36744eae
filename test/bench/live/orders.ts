/** What the process with the WebSockets is told, and what it answers. */
export interface ConnectOrder {
  /** WebSockets, spread over these in turn. */
  urls: string[];
  count: number;
  key: string;
}

/** Milliseconds from the time that an event bears, which is before its commit, to a client; each client counts. */
export interface Received {
  /** By the type of the event. */
  latencies: Record<string, number[]>;
  /** WebSockets that have closed. */
  lost: number;
}

export type LiveRequest = { connect: ConnectOrder } | { collect: true };
export type LiveReply = { connected: number } | { received: Received };
