import { AsyncLocalStorage } from 'node:async_hooks';
import { INVALID_TRACEID, type SpanContext, trace } from '@opentelemetry/api';

/** What every log line within a piece of work carries: the request, the job or the message that it belongs to. */
export interface LogContext {
  requestId: string;
  userId: string;
  /** The name of the job, as `task#id`. */
  job: string;
  /** With `spanId`, instead of those of the active span. */
  traceId: string;
  spanId: string;
}

const storage = new AsyncLocalStorage<Partial<LogContext>>();

/**
 * Runs `work` with these fields in every log line it writes, across awaits, on top of those that hold already. The
 * callback of an event is such a piece of work: what it learns does not stay for the next event.
 *
 * @example await runInContext({ requestId: payload.requestId, job: `deliver#${job.id}` }, () => deliver(payload))
 * @example socket.on('message', (data) => runInContext({ requestId: randomUUID(), userId }, () => receive(data)))
 */
export function runInContext<T>(context: Partial<LogContext>, work: () => T): T {
  const outer = storage.getStore();
  return storage.run(outer ? { ...outer, ...context } : { ...context }, work);
}

/** Adds fields to the context that holds now, for what is learnt on the way, such as the user. Without one, nothing happens. */
export function extendContext(context: Partial<LogContext>): void {
  const current = storage.getStore();
  if (current) Object.assign(current, context);
}

/** The fields that hold now. */
export function currentContext(): Readonly<Partial<LogContext>> {
  return storage.getStore() ?? {};
}

/** The span that is active now; undefined without tracing. */
export function activeSpan(): SpanContext | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined || span.traceId === INVALID_TRACEID ? undefined : span;
}

/** The context and the span as the fields of a log line; always a new object. */
export function contextFields(
  context = storage.getStore(),
  span: SpanContext | undefined = activeSpan(),
): Record<string, string | undefined> {
  if (!context) return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
  const { traceId = span?.traceId, spanId = span?.spanId } = context;
  return {
    request_id: context.requestId,
    user_id: context.userId,
    job: context.job,
    trace_id: traceId,
    span_id: spanId,
  };
}

/** Enters a context object that the caller keeps, so that it still sees what was added when the work is done. */
export function enterContext(context: Partial<LogContext>, work: () => void): void {
  storage.run(context, work);
}
