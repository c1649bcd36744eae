import { once } from 'node:events';

/** Lets the watchdog clear up, and waits for it. */
export default async function globalTeardown(): Promise<void> {
  const watchdog = globalThis.testWatchdog;
  if (!watchdog || watchdog.exitCode !== null) return;
  const exit = once(watchdog, 'exit');
  watchdog.stdin!.end();
  await exit;
}
