import type { Target } from './alerts.ts';

/** Without `seconds`: one pass over the known alerts. `fresh`: labels never seen before. */
export interface IngestOrder {
  target: Target;
  batch: number;
  connections: number;
  seconds?: number;
  fresh: boolean;
}

/** Failures are counted by status; 0 stands for a connection that failed. */
export interface IngestResult {
  alerts: number;
  requests: number;
  seconds: number;
  failures: Record<number, number>;
}

export interface LatencyOrder {
  target: Target;
  rate: number;
  seconds: number;
}

/** Milliseconds from the time at which a POST was due to the end of its webhook's body. */
export interface LatencyResult {
  sent: number;
  missing: number;
  p50: number;
  p99: number;
  max: number;
  failures: Record<number, number>;
}

export type ClientRequest =
  { id: number; kind: 'ingest'; order: IngestOrder } | { id: number; kind: 'latency'; order: LatencyOrder };

export type ClientReply =
  | { ready: { receiverPort: number } }
  | { id: number; result: IngestResult | LatencyResult }
  | { id: number; error: string };
