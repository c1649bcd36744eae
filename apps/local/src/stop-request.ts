import type { EventEmitter } from 'node:events';

/**
 * npm passes on to its script the Ctrl-C that the terminal has already sent there: one key press arrives as two signals.
 * Those that follow this closely are one.
 */
const ECHO_MS = 500;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Tells the first request to stop from the second. */
export function onStopRequest(
  on: { first: () => void; second: () => void },
  source: EventEmitter = process,
  now: () => number = () => performance.now(),
): void {
  let first: number | undefined;
  const receive = () => {
    if (first === undefined) {
      first = now();
      on.first();
    } else if (now() - first > ECHO_MS) {
      on.second();
    }
  };
  for (const signal of signals) source.on(signal, receive);
}
