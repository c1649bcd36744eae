/** What `startTracing` has started, as far as its end is concerned. */
export interface RunningTracing {
  /** Sends what is pending, for as long as it may take, and ends. Never throws. */
  stop(limitMs: number): Promise<void>;
}

let running: RunningTracing | undefined;
let stopping: Promise<void> | undefined;

/** Whether this process makes spans: `startTracing` was called, and the settings turn tracing on. */
export function isTracing(): boolean {
  return running !== undefined;
}

/** For `startTracing` alone. */
export function tracingRuns(tracing: RunningTracing): void {
  running = tracing;
}

/**
 * Sends the spans that are still pending, and ends tracing: to be called after everything that makes spans has ended,
 * and before the logs are flushed. It takes `limitMs` at most, whatever the collector does, and never throws. Whoever
 * calls it again waits for the same end.
 */
export function stopTracing(limitMs = 2_000): Promise<void> {
  stopping ??= running?.stop(limitMs);
  return stopping ?? Promise.resolve();
}
