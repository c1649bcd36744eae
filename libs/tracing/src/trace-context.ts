import { type Attributes, isSpanContextValid, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { runInSpan } from './with-span.js';

/** https://www.w3.org/TR/trace-context/#traceparent-header: a later version may have more after a hyphen. */
const traceparentForm = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** The active span as a W3C `traceparent`, to be stored with work that is done later or elsewhere. */
export function traceContext(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/**
 * Runs `work` in a span of a consumer, below the one that {@link traceContext} told where the work was ordered. Without
 * a `traceparent`, or with one that is none, it begins a trace; without tracing it only runs `work`.
 *
 * @example await continueTrace(payload.traceparent, 'deliver', { 'job.id': id }, () => deliver(payload))
 */
export function continueTrace<T>(
  traceparent: string | undefined,
  name: string,
  attributes: Attributes,
  work: (span: Span) => T,
): T {
  return runInSpan(parentOf(traceparent), name, { kind: SpanKind.CONSUMER, attributes }, work);
}

function parentOf(traceparent = '') {
  const [, version, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(traceparent) ?? [];
  const parent = { traceId, spanId, traceFlags: parseInt(flags, 16) & 1, isRemote: true };
  if (!isSpanContextValid(parent) || (version === '00' && traceparent.length !== 55)) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
