import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/** How long a half-finished removal of a dead holder's lock is respected. */
const BREAKING_LIMIT_MS = 5_000;

/** The holder of the lock did not let go within the limit. */
export class FileLockTimeout extends Error {
  override readonly name = 'FileLockTimeout';
}

/**
 * Runs `work` while no other process of this machine does so under the same path. The file names its holder, and the
 * lock of a process that died holding it is taken over.
 * @throws FileLockTimeout when a living holder keeps it longer than `limitMs`
 */
export async function withFileLock<T>(path: string, limitMs: number, work: () => Promise<T>): Promise<T> {
  const mine = JSON.stringify({ ...identify(process.pid)!, token: randomUUID() });
  const deadline = Date.now() + limitMs;
  while (!(await place(path, mine))) {
    await removeIfAbandoned(path);
    if (Date.now() > deadline) throw new FileLockTimeout(`${path} is held by process ${(await holder(path))?.pid}`);
    await sleep(20);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Creates the lock with its content in one step, so that nobody reads a half-written one. */
async function place(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o644 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Only the holder of `<path>.breaking` removes a dead holder's lock, and looks again before it does: otherwise the
 * slower of two processes that saw the same dead holder would remove the faster one's new lock.
 */
async function removeIfAbandoned(path: string): Promise<void> {
  if (!(await isAbandoned(path))) return;
  const breaking = `${path}.breaking`;
  if (await place(breaking, '')) {
    try {
      if (await isAbandoned(path)) await rm(path, { force: true });
    } finally {
      await rm(breaking, { force: true });
    }
  } else if ((await ageMs(breaking)) > BREAKING_LIMIT_MS) {
    await rm(breaking, { force: true });
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const by = await holder(path);
  return by !== undefined && !isRunning(by);
}

async function holder(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
}

async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
}
