import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line within a piece of work carries: the request or the job that it belongs to. */
export interface LogContext {
  requestId: string;
  userId: string;
  /** The name of the job, as `task#id`. */
  job: string;
  traceId: string;
  spanId: string;
}

const storage = new AsyncLocalStorage<Partial<LogContext>>();

/**
 * Runs `work` with these fields in every log line it writes, across awaits, on top of those that hold already.
 *
 * @example await runInContext({ requestId: payload.requestId, job: `deliver#${job.id}` }, () => deliver(payload))
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

/** The context as the fields of a log line; always a new object. */
export function contextFields(context = storage.getStore()): Record<string, string | undefined> {
  if (!context) return {};
  return {
    request_id: context.requestId,
    user_id: context.userId,
    job: context.job,
    trace_id: context.traceId,
    span_id: context.spanId,
  };
}

/** Enters a context object that the caller keeps, so that it still sees what was added when the work is done. */
export function enterContext(context: Partial<LogContext>, work: () => void): void {
  storage.run(context, work);
}
