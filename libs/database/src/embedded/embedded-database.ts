import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { binariesFor } from './binaries.js';
import { Cluster, isForeign, ROLE } from './cluster.js';
import { EmbeddedDatabaseError, explain } from './embedded-error.js';
import { FileLockTimeout, withFileLock } from './file-lock.js';
import { mayPass, systemUser, type SystemUser } from './system-user.js';
import { countUsers, enter } from './users.js';

/** Longer than the slowest start, so that whoever waits for one sees its end. */
const LOCK_LIMIT_MS = 180_000;

export interface EmbeddedDatabaseOptions {
  /** Where everything of this database is kept: data, password, port, log. Created where missing. */
  directory: string;
  /** False trades the safety of the data for speed (no fsync): for tests. Default true. */
  durable?: boolean;
  /** Told what a person should know, a sentence at a time. */
  report?: (sentence: string) => void;
  /** Where root keeps what PostgreSQL's system user could not reach otherwise. Default `/var/lib/eyrie`. */
  systemFolder?: string;
}

/** A use of an embedded database. */
export interface EmbeddedDatabase {
  url: string;
  /** Where the data is: another folder than asked for when root started it in a folder private to root. */
  directory: string;
  /** Whether it was running already. */
  adopted: boolean;
  /** Ends this use; the last one to end stops the server. Safe to call twice. */
  release: () => Promise<void>;
}

/**
 * A PostgreSQL of our own over `directory`: starts it, or adopts the one that another process has started there or left
 * behind when it was killed. It listens on loopback only, with a random password.
 * @throws EmbeddedDatabaseError with a sentence for the person who started the program
 */
export async function embeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const systemFolder = options.systemFolder ?? '/var/lib/eyrie';
  const user = await systemUser();
  let directory = resolve(options.directory);
  try {
    directory = await prepareFolder(directory, systemFolder, user, options.report);
    const binaries = await binariesFor(user, systemFolder);
    const cluster = new Cluster({ directory, binaries, user, durable: options.durable ?? true });
    return await underLock(directory, () => use(cluster, directory, user));
  } catch (error) {
    throw error instanceof EmbeddedDatabaseError ? error : explained(error, directory);
  }
}

async function use(cluster: Cluster, directory: string, user: SystemUser | undefined): Promise<EmbeddedDatabase> {
  if (await isForeign(cluster.dataFolder, user)) throw explain('it has the wrong ownership', directory);
  const password = await remembered(join(directory, 'password'), () => randomBytes(24).toString('base64url'));
  const running = await cluster.runningPort();
  const users = join(directory, 'users');
  const leave = await enter(users);
  try {
    if (!running) await cluster.initialise(password);
    const port = running ?? (await startOnFreePort(cluster, directory));
    const url = `postgresql://${ROLE}:${password}@127.0.0.1:${port}/${ROLE}`;
    await createDatabase(url);
    let released: Promise<void> | undefined;
    const release = () => (released ??= stopAfterLast(cluster, directory, leave));
    return { url, directory, adopted: running !== undefined, release };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function stopAfterLast(cluster: Cluster, directory: string, leave: () => Promise<void>): Promise<void> {
  await leave();
  await underLock(directory, async () => {
    if ((await countUsers(join(directory, 'users'))) === 0) await cluster.stop();
  });
}

/** The port of last time, so that a saved connection goes on working; another one when somebody else has taken it. */
async function startOnFreePort(cluster: Cluster, directory: string): Promise<number> {
  const file = join(directory, 'port');
  const last = Number(await readFile(file, 'utf8').catch(() => ''));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? last : 0);
    try {
      await cluster.start(port);
      await writeFile(file, String(port));
      return port;
    } catch (error) {
      if (attempt === 10 || !isPassing(error)) throw error;
      await sleep(attempt * 100);
    }
  }
}

/** A port that was taken in between, or the last processes of a server that was just killed. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof EmbeddedDatabaseError)) return false;
  return error.fault === 'port' || /pre-existing shared memory|lock file .* already exists/.test(error.message);
}

/** `preferred` when it is free, otherwise any that is. */
async function freePort(preferred: number): Promise<number> {
  const server = createServer().listen(preferred, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (preferred !== 0) return await freePort(0);
    throw new EmbeddedDatabaseError('port', `No port is free on 127.0.0.1. (${(error as Error).message})`);
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** PostgreSQL 18 has no CREATE DATABASE IF NOT EXISTS. */
async function createDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new Client({ connectionString: maintenance.href, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the next statement fails with it
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [ROLE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${ROLE}`);
  } finally {
    await client.end();
  }
}

/** PostgreSQL's system user must be able to pass every folder above the data, and root's own folders are private. */
async function prepareFolder(
  wanted: string,
  systemFolder: string,
  user: SystemUser | undefined,
  report: (sentence: string) => void = () => undefined,
): Promise<string> {
  await makeFolder(wanted);
  const real = await realpath(wanted);
  if (!user || (await mayPass(join(real, 'data'), user))) return real;
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 8);
  const instead = join(systemFolder, `${basename(real)}-${hash}`);
  await makeFolder(instead);
  await Promise.all([systemFolder, instead].map((folder) => chmod(folder, 0o755))); // whatever the umask
  report(`Only root may enter ${real}; the database, which runs as ${user.name}, is kept in ${instead}.`);
  return await realpath(instead);
}

/** Made recursively, Node calls a read-only file system ENOENT; made one by one, it tells the truth. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  });
}

async function underLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  return withFileLock(join(directory, 'lock'), LOCK_LIMIT_MS, work);
}

/** The content of a private file, made up and written when it is read for the first time. */
async function remembered(path: string, invent: () => string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (known) return known;
  const content = invent();
  await writeFile(path, content, { mode: 0o600 });
  return content;
}

function explained(error: unknown, directory: string): EmbeddedDatabaseError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof FileLockTimeout) {
    return new EmbeddedDatabaseError(
      'busy',
      `Another process is starting or stopping the database in ${directory} and does not finish. (${message})`,
      { cause: error },
    );
  }
  return explain(message, directory);
}
