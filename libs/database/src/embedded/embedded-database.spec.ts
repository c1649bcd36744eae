import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { type EmbeddedDatabase, embeddedDatabase } from './embedded-database.js';
import { identify } from './process-identity.js';

jest.setTimeout(60_000); // a database is made for each test, on whatever machine

const asRoot = process.getuid?.() === 0 ? it : it.skip;

let folder: string;
let directory: string;
let uses: EmbeddedDatabase[];
let children: User[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eyrie-embedded-'));
  await chmod(folder, 0o755);
  directory = join(folder, 'postgres');
  uses = [];
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.end()));
  for (const { release } of uses) await release();
  await rm(folder, { recursive: true, force: true });
});

async function use(): Promise<EmbeddedDatabase> {
  const database = await embeddedDatabase({ directory });
  uses.push(database);
  return database;
}

describe('embeddedDatabase', () => {
  it('starts a durable PostgreSQL 18 with our database', async () => {
    const { url, adopted } = await use();
    expect(adopted).toBe(false);
    expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name: 'eyrie' }]);
    expect(await query(url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(await query(url, 'SHOW server_version_num')).toEqual([{ server_version_num: expect.stringMatching(/^18/) }]);
  });

  it('is shared within a machine: the second use adopts it, and the last one to end stops it', async () => {
    const one = await use();
    const other = await use();
    expect(other).toMatchObject({ adopted: true, url: one.url });
    await one.release();
    await one.release(); // counts once
    expect(await query(other.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    const pid = await postmasterPid();
    await other.release();
    expect(identify(pid)).toBeUndefined();
  });

  it('finds data, password and port again', async () => {
    const first = await use();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.release();
    const second = await use();
    expect(second).toMatchObject({ adopted: false, url: first.url });
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('I4: wants the password, which only this account can read', async () => {
    const { url } = await use();
    const guess = new URL(url);
    guess.password = 'guess';
    await expect(query(guess.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('outlives a user that is killed, is adopted by the next, and does not wait for the dead', async () => {
    const killed = await User.start();
    const pid = await postmasterPid();
    await killed.kill();
    const heir = await use();
    expect(heir).toMatchObject({ adopted: true, url: killed.url });
    expect(await postmasterPid()).toBe(pid);
    await heir.release();
    expect(identify(pid)).toBeUndefined();
  });

  it('is started once when several processes begin at the same moment', async () => {
    const started = await Promise.all([User.start(), User.start(), User.start()]);
    expect(started.filter(({ adopted }) => !adopted)).toHaveLength(1);
    expect(new Set(started.map(({ url }) => url)).size).toBe(1);
    const pid = await postmasterPid();
    await Promise.all(started.map((child) => child.end()));
    expect(identify(pid)).toBeUndefined();
  });

  it('H1: keeps what was committed when PostgreSQL itself is killed', async () => {
    const { url } = await use();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    while (identify(pid)) await sleep(5);
    const again = await use();
    expect(again).toMatchObject({ adopted: false, url });
    expect(await query(again.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is not held up by a postmaster.pid whose number belongs to another program by now', async () => {
    await (await use()).release();
    const stale = [process.pid, join(directory, 'data'), 1, 5432, '', '127.0.0.1', '', 'ready'].join('\n');
    await writeFile(join(directory, 'data', 'postmaster.pid'), stale);
    const { url, adopted } = await use();
    expect(adopted).toBe(false);
    expect(await query(url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  it('begins anew after a crash in the middle of the initialisation', async () => {
    await mkdir(join(directory, 'data.draft', 'half'), { recursive: true });
    const { url } = await use();
    expect(await query(url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    expect(existsSync(join(directory, 'data.draft'))).toBe(false);
  });

  it('takes another port when its own is taken, and remembers that one', async () => {
    const first = await use();
    await first.release();
    const thief = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(thief, 'listening');
    const second = await use();
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    await second.release();
    thief.close();
    expect((await use()).url).toBe(second.url);
  });

  it('says in a sentence that the data is of another major version', async () => {
    await mkdir(join(directory, 'data'), { recursive: true });
    await writeFile(join(directory, 'data', 'PG_VERSION'), '17\n');
    await giveToServer(join(directory, 'data'));
    await expect(use()).rejects.toMatchObject({
      name: 'EmbeddedDatabaseError',
      fault: 'other-version',
      message: expect.stringMatching(
        /^The database folder .* was made by another major version of PostgreSQL: move it/,
      ),
    });
  });

  it('says in a sentence that the data belongs to another account', async () => {
    await mkdir(join(directory, 'data'), { recursive: true });
    if (process.getuid?.() !== 0) await chmod(directory, 0o500); // root's own folder is foreign to PostgreSQL's user
    await expect(use()).rejects.toMatchObject({
      fault: 'no-permission',
      message: expect.stringMatching(/^The database folder .* cannot be used by this account/),
    });
    await chmod(directory, 0o755);
  });

  asRoot('moves to a system-wide folder, and says so, when root starts it in a private one', async () => {
    await chmod(folder, 0o700);
    const systemFolder = await mkdtemp(join(tmpdir(), 'eyrie-system-'));
    const said: string[] = [];
    const options = { directory, systemFolder, report: (sentence: string) => void said.push(sentence) };
    const database = await embeddedDatabase(options);
    uses.push(database);
    expect(dirname(database.directory)).toBe(systemFolder);
    expect(said).toEqual([expect.stringContaining(`is kept in ${database.directory}`)]);
    const second = await embeddedDatabase(options);
    expect(second).toMatchObject({ adopted: true, url: database.url });
    await second.release();
    await database.release();
    await rm(systemFolder, { recursive: true });
  });
});

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Makes a folder look as if PostgreSQL had made it, under whatever user it runs here. */
async function giveToServer(path: string): Promise<void> {
  const { systemUser } = await import('./system-user.js');
  const user = await systemUser();
  if (user) await chown(path, user.uid, user.gid);
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that uses the database. */
class User {
  url = '';
  adopted = false;

  private constructor(private readonly child: ChildProcessByStdio<Writable, Readable, null>) {}

  static async start(): Promise<User> {
    const program = join(import.meta.dirname, 'embedded-user.fixture.ts');
    const hooks = join(import.meta.dirname, '../../../../test/harness/typescript-hooks.mjs');
    const flags = ['--no-warnings', '--experimental-transform-types', '--import', hooks];
    const child = spawn(process.execPath, [...flags, program, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    const user = new User(child);
    children.push(user);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return Object.assign(user, JSON.parse(line) as Pick<User, 'url' | 'adopted'>);
  }

  /** Lets the process release the database and waits for its end. */
  end(): Promise<void> {
    this.child.stdin.end();
    return this.exit();
  }

  kill(): Promise<void> {
    this.child.kill('SIGKILL');
    return this.exit();
  }

  private async exit(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}
