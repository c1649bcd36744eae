import { once } from 'node:events';

/** Lets the watchdog clear up, and waits for it. */
export default async function globalTeardown(): Promise<void> {
  const watchdog = globalThis.testWatchdog;
  if (!watchdog || watchdog.exitCode !== null) return;
  // Or the process would end while it waits: with nothing left to do, and with status 0 whatever the tests said.
  watchdog.ref();
  const exit = once(watchdog, 'exit');
  watchdog.stdin!.end();
  await exit;
}
