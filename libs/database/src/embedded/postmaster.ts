import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandOf, identify, workingFolderOf } from './process-identity.js';

/** A running server as its `postmaster.pid` tells it. */
export interface Postmaster {
  pid: number;
  port: number | undefined;
  /** `starting`, `ready`, `stopping` or `standby`; undefined right at the beginning. */
  status: string | undefined;
}

/**
 * The server that runs over a data folder. The file outlives a server that was killed, and its pid may by then be another
 * program's, or another server's: the process is asked what it is.
 */
export async function readPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid < 1 || !isServerOver(dataFolder, pid)) return undefined;
  return { pid, port: Number(lines[3]) || undefined, status: lines[7]?.trim() || undefined };
}

/** Removes a `postmaster.pid` whose process is not a server over this folder: PostgreSQL would refuse to start. */
export async function removeStalePostmaster(dataFolder: string): Promise<void> {
  if (!(await readPostmaster(dataFolder))) await rm(join(dataFolder, 'postmaster.pid'), { force: true });
}

/** By the working folder where the system tells it, which for PostgreSQL is its data folder; else by the command line. */
function isServerOver(dataFolder: string, pid: number): boolean {
  if (!identify(pid)) return false;
  const command = commandOf(pid);
  if (command === undefined) return true;
  if (!command.includes('postgres')) return false;
  const folder = workingFolderOf(pid);
  return folder === undefined ? command.includes(dataFolder) : folder === dataFolder;
}
