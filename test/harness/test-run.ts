import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../libs/database/src/embedded/file-lock.js';
import type { StartedServer } from './watchdog.js';

/** The folder of this run of the tests, which global-setup.ts has made. */
export function runFolder(): string {
  const folder = process.env.EYRIE_TEST_RUN;
  if (!folder) throw new Error('There is no test run: start the specs with `npm test`, which sets one up.');
  return folder;
}

/**
 * What `make` returns, made by the first spec file that asks for it and remembered for all others of this run.
 * `make` tells about each server as soon as it runs, so that the watchdog can stop it even if the rest fails.
 */
export async function onceInRun<T>(
  name: string,
  make: (started: (server: StartedServer) => Promise<void>) => Promise<T>,
): Promise<T> {
  const made = join(runFolder(), `${name}.json`);
  if (!existsSync(made)) {
    await withFileLock(join(runFolder(), `${name}.lock`), 180_000, async () => {
      if (existsSync(made)) return;
      await writeWhole(made, await make((server) => writeWhole(join(runFolder(), `${name}.server.json`), server)));
    });
  }
  return JSON.parse(await readFile(made, 'utf8')) as T;
}

async function writeWhole(path: string, content: unknown): Promise<void> {
  await writeFile(`${path}.draft`, JSON.stringify(content));
  await rename(`${path}.draft`, path);
}
