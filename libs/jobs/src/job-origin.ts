import { currentContext } from 'eyrie/logging';
import { traceContext } from 'eyrie/tracing';

/** Where work comes from, kept with it: so that the worker's log lines and spans belong to the request that caused it. */
export interface JobOrigin {
  requestId?: string;
  /** W3C trace context of the span that was active. */
  traceparent?: string;
}

/** Of what runs now; `undefined` outside of requests, jobs and spans. */
export function currentOrigin(): JobOrigin | undefined {
  const { requestId } = currentContext();
  const traceparent = traceContext();
  return requestId || traceparent ? { requestId, traceparent } : undefined;
}
