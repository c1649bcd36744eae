import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 300_000;

/**
 * What a program of the system says to some arguments. Where it is missing, the system's package manager installs it if it
 * may (apt-get, as root), from the first of these packages that has it.
 * @throws an error that names the program
 */
export async function systemProgram(name: string, args: readonly string[], packages = [name]): Promise<string> {
  const ask = () =>
    run(name, [...args]).then(
      ({ stdout }) => stdout,
      () => undefined,
    );
  let said = await ask();
  if (said === undefined && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await aptGet('update', '-q');
    for (const each of packages) {
      await aptGet('install', '-y', '-qq', '--no-install-recommends', each);
      said = await ask();
      if (said !== undefined) break;
    }
  }
  if (said === undefined)
    throw new Error(`no ${name} on the PATH: install it, such as with apt-get install ${packages.at(-1)}`);
  return said;
}

/** A package that is not to be had leaves the program missing, and that is what is told. */
async function aptGet(...args: string[]): Promise<void> {
  await run('apt-get', args, { timeout: INSTALL_LIMIT_MS }).catch(() => undefined);
}
