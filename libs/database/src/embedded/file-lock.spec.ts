import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileLockTimeout, withFileLock } from './file-lock.js';
import { identify, isRunning } from './process-identity.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyrie-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

/** The lock of a process that was killed while it held it. */
async function lockOfTheDead(): Promise<string> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const content = JSON.stringify(identify(child.pid!));
  child.kill('SIGKILL');
  await once(child, 'exit');
  return content;
}

describe('withFileLock', () => {
  it('lets in one at a time, also when the lock at first belongs to a dead process', async () => {
    await writeFile(path, await lockOfTheDead());
    let inside = 0;
    const seen: number[] = [];
    const work = async () => {
      seen.push(++inside);
      await sleep(2);
      inside--;
    };
    await Promise.all(Array.from({ length: 12 }, () => withFileLock(path, 10_000, work)));
    expect(seen).toEqual(Array.from({ length: 12 }, () => 1));
    expect(await readdir(folder)).toEqual([]);
  });

  it('respects a living holder until the limit, and names it', async () => {
    await writeFile(path, JSON.stringify(identify(process.pid)));
    const waiting = withFileLock(path, 50, async () => undefined);
    await expect(waiting).rejects.toThrow(new FileLockTimeout(`${path} is held by process ${process.pid}`));
  });

  it('is given back when the work fails', async () => {
    await expect(withFileLock(path, 50, () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
    expect(await withFileLock(path, 50, async () => 'next')).toBe('next');
  });
});

describe('a process identity', () => {
  it('is not that of another process with the same pid', () => {
    const own = identify(process.pid)!;
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, started: 'before the last boot' })).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeUndefined(); // beyond Linux's largest pid
  });
});
