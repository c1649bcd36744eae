import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedDatabase, embeddedDatabase } from 'eyrie/database';
import { Client } from 'pg';
import { freePort } from './processes.ts';

/** A durable PostgreSQL (the product's own embedded one, fsync on) which can be killed as by a power cut. */
export class DatabaseServer {
  readonly #directory: string;
  #use: EmbeddedDatabase;

  private constructor(directory: string, use: EmbeddedDatabase) {
    this.#directory = directory;
    this.#use = use;
  }

  static async start(directory: string): Promise<DatabaseServer> {
    // The port it had last time, as far as it knows: one that nothing else takes while it is down.
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'port'), String(await freePort()));
    return new DatabaseServer(directory, await embeddedDatabase({ directory }));
  }

  /** The same after each restart. */
  get url(): string {
    return this.#use.url;
  }

  get logFile(): string {
    return join(this.#use.directory, 'postgres.log');
  }

  /** Another, empty database on this server. */
  async createDatabase(name: string): Promise<string> {
    await this.query(this.url, `CREATE DATABASE ${name}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  async query(url: string, ...statements: string[]): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  /** SIGKILL to the postmaster; returns when its children, which notice that it is gone, have ended too. */
  async kill(): Promise<void> {
    const postmaster = Number(readFileSync(join(this.#use.directory, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const children = childrenOf(postmaster);
    process.kill(postmaster, 'SIGKILL');
    for (const deadline = Date.now() + 10_000; [postmaster, ...children].some(exists); await sleep(10)) {
      if (Date.now() > deadline) throw new Error(`processes of a killed PostgreSQL remain: ${children.join(', ')}`);
    }
    await this.#use.release();
  }

  /** Starts it again over the same data, on the same port. */
  async restart(): Promise<void> {
    const { url } = this;
    this.#use = await embeddedDatabase({ directory: this.#directory });
    if (this.url !== url) throw new Error('PostgreSQL came back under another address');
  }

  async stop(): Promise<void> {
    await this.#use.release();
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(name)?.parent === pid)
    .map(Number);
}

/** A zombie does not count as existing: it holds nothing, and in a container nobody may ever reap it. */
function exists(pid: number): boolean {
  const stat = statOf(String(pid));
  return stat !== undefined && stat.state !== 'Z';
}

/** From `/proc/<pid>/stat`: `pid (name) state parent …`. */
function statOf(pid: string): { state: string; parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
