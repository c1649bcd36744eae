import {
  type Attributes,
  type Context,
  context,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const tracer = trace.getTracer('eyrie');

/**
 * Runs `work` in a span of its own, below the active one, which ends when `work` has ended, its promise included. What
 * it throws is recorded and thrown on. Without tracing it only runs `work`.
 *
 * @example await withSpan('render', { template: name }, async (span) => { …; span.setAttribute('bytes', size); })
 */
export function withSpan<T>(name: string, attributes: Attributes, work: (span: Span) => T): T {
  return runInSpan(context.active(), name, { attributes }, work);
}

/** {@link withSpan} below a given parent. */
export function runInSpan<T>(parent: Context, name: string, options: SpanOptions, work: (span: Span) => T): T {
  const span = tracer.startSpan(name, options, parent);
  const run = () => work(span);
  if (!span.isRecording()) return context.with(trace.setSpan(parent, span), run);
  let result: T;
  try {
    result = context.with(trace.setSpan(parent, span), run);
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  // Beside the promise and not in front of it: the caller gets the very one that `work` returned.
  result.then(
    () => span.end(),
    (error: unknown) => fail(span, error),
  );
  return result;
}

/** Ends the span with what was thrown. An exception that is an answer of the 4xx kind is no failure of the work. */
function fail(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  if (!isAnswer(error)) {
    span.setAttribute('error.type', exception.name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  }
  span.end();
}

/** Whether it is one of Nest's HTTP exceptions with a status below 500. */
function isAnswer(error: unknown): boolean {
  const { getStatus } = (error ?? {}) as { getStatus?: () => number };
  return typeof getStatus === 'function' && getStatus.call(error) < 500;
}
