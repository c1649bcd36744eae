import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { testDatabase } from './postgres.js';
import { REDIS_LIMIT_MS, testRedis } from './redis.js';

describe('a database for a spec file', () => {
  it('is there, empty of others, and gone after the drop', async () => {
    const [one, other] = [await testDatabase(), await testDatabase()];
    await query(one.url, 'CREATE TABLE seen (id int)');
    await expect(query(other.url, 'SELECT FROM seen')).rejects.toMatchObject({ code: '42P01' });
    await Promise.all([one.drop(), other.drop()]);
    await expect(query(one.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });

  it('fails the file that leaves a connection open, and names the connection', async () => {
    const database = await testDatabase();
    const leak = new Client({ connectionString: database.url, application_name: 'a forgotten pool' });
    leak.on('error', () => undefined);
    await leak.connect();
    await expect(database.drop()).rejects.toThrow(/a forgotten pool \(idle\)/);
  });
});

describe('Redis for a spec file', () => {
  it(
    'gives every file a database and a prefix of its own',
    async () => {
      const [one, other] = [await testRedis(), await testRedis()];
      expect(one.url).not.toBe(other.url);
      expect(one.prefix).not.toBe(other.prefix);
      const socket = connect(Number(new URL(one.url).port), '127.0.0.1');
      socket.write(`SELECT ${new URL(one.url).pathname.slice(1)}\r\nDBSIZE\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      expect(answer.toString()).toMatch(/^\+OK\r\n(:0\r\n)?$/);
    },
    REDIS_LIMIT_MS,
  );
});

describe('the watchdog', () => {
  it('stops the servers of a run and removes its folder when the run vanishes', async () => {
    const run = await mkdtemp(join(tmpdir(), 'eyrie-watchdog-'));
    const server = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const note = { pid: server.pid, signal: 'SIGTERM', directory: join(run, 'data') };
    await writeFile(join(run, 'some.server.json'), JSON.stringify(note));
    const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), run], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ends = Promise.all([once(server, 'exit'), once(watchdog, 'exit')]);
    watchdog.stdin.destroy(); // as the kernel does for a process that was killed
    expect(await ends).toEqual([
      [null, 'SIGTERM'],
      [0, null],
    ]);
    expect(existsSync(run)).toBe(false);
  });
});

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
