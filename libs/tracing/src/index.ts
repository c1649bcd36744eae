export { isTracing, stopTracing } from './running.js';
export { Span, type SpanDecoratorOptions } from './span.decorator.js';
export { continueTrace, traceContext } from './trace-context.js';
export { requestSpans, traceRequests, type TraceRequestsOptions } from './trace-requests.js';
export { tracingSettings, type TracingSettings } from './tracing.config.js';
export { TracingModule, type TracingOptions } from './tracing.module.js';
export { withSpan } from './with-span.js';
