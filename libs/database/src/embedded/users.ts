import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/** Notes that this process uses the database; the returned function takes the note back. */
export async function enter(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const note = join(folder, `${process.pid}-${randomUUID()}.json`);
  await writeFile(note, JSON.stringify(identify(process.pid)));
  return () => rm(note, { force: true });
}

/** How many uses by living processes are noted; the notes of processes that died without a word are removed. */
export async function countUsers(folder: string): Promise<number> {
  let living = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (isUsed(await readFile(path, 'utf8').catch(() => ''))) living++;
    else await rm(path, { force: true });
  }
  return living;
}

function isUsed(note: string): boolean {
  try {
    return isRunning(JSON.parse(note) as ProcessIdentity);
  } catch {
    return false; // cut short by a crash of its writer
  }
}
