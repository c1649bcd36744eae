import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedDatabaseError } from './embedded-error.js';

/** The account that PostgreSQL runs under when root starts it: PostgreSQL refuses to run as root itself. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

const NAME = 'eyrie';

/** Linux's useradd, then BusyBox's adduser; both make an account that nobody can log in to. */
const creations: readonly (readonly [string, ...string[]])[] = [
  [
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/sbin/nologin',
    NAME,
  ],
  ['adduser', '-S', '-D', '-H', '-h', '/nonexistent', '-s', '/sbin/nologin', NAME],
];

/** The system user for PostgreSQL's processes, created where missing; undefined when this process is not root. */
export async function systemUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (let attempt = 0; attempt < 5; attempt++) {
    const found = lookUp(NAME) ?? (create() ? lookUp(NAME) : undefined);
    if (found) return found;
    await sleep(100); // another process may be creating it and hold the lock of the user database
  }
  const existing = lookUp('postgres') ?? lookUp('_postgres');
  if (existing) return existing;
  throw new EmbeddedDatabaseError(
    'no-permission',
    `PostgreSQL refuses to run as root, and no system user "${NAME}" could be created for it: create one, start as ` +
      'another user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

/** Whether `user` may pass every folder on the way to `path` (by the mode bits; the last part itself is not looked at). */
export async function mayPass(path: string, user: SystemUser): Promise<boolean> {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found && !mayEnter(found, user)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function mayEnter({ mode, uid, gid }: { mode: number; uid: number; gid: number }, user: SystemUser): boolean {
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}

function lookUp(name: string): SystemUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => run('id', flag, name));
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

function create(): boolean {
  return creations.some(([command, ...args]) => run(command, ...args) !== undefined);
}

function run(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  return status === 0 ? stdout.trim() : undefined;
}
