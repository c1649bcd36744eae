import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

declare global {
  var testWatchdog: ChildProcess | undefined;
}

/**
 * Makes the folder of this run, in which specs keep the servers they share; the first spec that needs a server starts
 * it. A watchdog holds the other end of a pipe to this process: when the run ends, in whatever way, it stops them all.
 */
export default async function globalSetup(): Promise<void> {
  const run = await mkdtemp(join(tmpdir(), 'eyrie-test-'));
  await chmod(run, 0o755); // PostgreSQL may run as another user
  process.env.EYRIE_TEST_RUN = run;
  globalThis.testWatchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), run], {
    detached: true, // Ctrl-C is not for it
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  globalThis.testWatchdog.unref();
}
