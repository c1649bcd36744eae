import { type Span, trace, TraceFlags } from '@opentelemetry/api';

/** The span that is active here. Without tracing it costs a look at an empty context. */
export function activeSpan(): Span | undefined {
  return trace.getActiveSpan();
}

/** What an exemplar says of a span; nothing of one that is not sampled, which nobody could look up. */
export function exemplarOf(span: Span | undefined): { trace_id: string; span_id: string } | undefined {
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return traceFlags & TraceFlags.SAMPLED ? { trace_id: traceId, span_id: spanId } : undefined;
}
