// Run by Node itself, which strips the types: nothing here may need a build.
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a spec writes to `<run>/<name>.server.json` about a server that it has started for the whole run. */
export interface StartedServer {
  pid: number;
  /** How the server is told to end at once without writing anything down. */
  signal: NodeJS.Signals;
  directory: string;
}

/** Waits until the test run is gone, then stops its servers and removes its folder. */
async function watch(run: string): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'close');
  const servers = readdirSync(run)
    .filter((name) => name.endsWith('.server.json'))
    .map((name) => JSON.parse(readFileSync(join(run, name), 'utf8')) as StartedServer);
  await Promise.all(servers.map(end));
  rmSync(run, { recursive: true, force: true });
}

async function end({ pid, signal, directory }: StartedServer): Promise<void> {
  kill(pid, signal);
  for (const deadline = Date.now() + 5_000; kill(pid, 0); await sleep(20)) {
    if (Date.now() > deadline) kill(pid, 'SIGKILL');
  }
  rmSync(directory, { recursive: true, force: true });
}

/** False when there is no such process. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

await watch(process.argv[2]!);
