import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KeepAliveLoad } from '../../fixtures/cluster-load.js';
import { ClusterFixture, killFixtures } from '../../fixtures/cluster-process.js';

/** Asks on a connection of its own. */
async function ask<T = { pid: number }>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return (await response.json()) as T;
}

async function pids(url: string): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(`${url}/pid`)));
  return [...new Set(answers.map(({ pid }) => pid))].sort();
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Two processes, which the following share. */
describe('runProcesses with two processes', () => {
  let fixture: ClusterFixture;
  let url: string;

  beforeAll(async () => {
    fixture = new ClusterFixture({ WEB_CONCURRENCY: '2', SHUTDOWN_TIMEOUT: '20s' });
    url = await fixture.url(2);
  }, 60_000);
  afterAll(killFixtures);

  it('B1: they share a port', async () => {
    expect(await pids(url)).toHaveLength(2);
  });

  it('C6: what one broadcasts the other hears', async () => {
    const { pid: teller } = await ask(`${url}/tell/sticky/news`);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => ask<{ pid: number; heard: string[] }>(`${url}/heard`)),
    );
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    for (const { pid, heard } of answers) expect(heard).toEqual(pid === teller ? [] : ['news']);
  });

  it('B2: SIGHUP replaces them while clients that are idle for a while come back, and fails no request', async () => {
    const before = await pids(url);
    const load = new KeepAliveLoad({ url: `${url}/pid`, connections: 40, pauseMs: 300 });
    await sleep(500);
    fixture.kill('SIGHUP');
    await fixture.logged(/replaces process \d+: received SIGHUP/, 2);
    await sleep(500);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect((await pids(url)).filter((pid) => before.includes(pid))).toEqual([]);
  }, 60_000);

  it('C6: a later process hears what was sticky', async () => {
    expect(await ask(`${url}/heard`)).toMatchObject({ heard: ['news'] });
  });

  it('B2: one that gets SIGTERM itself is replaced first, and fails no request', async () => {
    const [first = 0] = await pids(url);
    const load = new KeepAliveLoad({ url: `${url}/pid`, connections: 10 });
    process.kill(first, 'SIGTERM');
    await fixture.logged(`process ${first}: it received SIGTERM`);
    await fixture.logged(`Process ${first} ended`);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await pids(url)).not.toContain(first);
  }, 60_000);

  it('B4: one that crashes is logged with its cause, and replaced', async () => {
    const { pid } = await ask(`${url}/crash`);
    const ready = fixture.count(/^Process \d+ is ready$/);
    await fixture.logged(`Process ${pid} died: status 1`);
    await fixture.logged(/^Process \d+ is ready$/, ready + 1);
    const fatal = { level: 'fatal', error: expect.objectContaining({ message: 'planted crash' }) };
    expect(fixture.lines).toContainEqual(expect.objectContaining(fatal));
    expect(await pids(url)).toHaveLength(2);
  }, 60_000);

  it('G1: Ctrl-C, which reaches them all, drains each once', async () => {
    const slow = ask(`${url}/slow/500`);
    await sleep(100);
    fixture.killGroup('SIGINT');
    expect(await slow).toHaveProperty('pid');
    expect(await fixture.exit).toBe(0);
    expect(fixture.count('again')).toBe(0);
    expect(fixture.count('fixture is draining: received SIGINT')).toBe(2);
    expect(fixture.messages.slice(-2)).toEqual(['the primary ends', 'fixture ended with exit status 0']);
  }, 60_000);
});

describe('runProcesses', () => {
  afterEach(killFixtures);

  it('B1: one process that is never recycled has no primary', async () => {
    const fixture = new ClusterFixture({});
    const url = (await fixture.logged('listening on ')).replace('listening on ', '');
    expect(await pids(url)).toHaveLength(1);
    expect(fixture.messages).not.toContain('the primary begins');
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(0);
  }, 60_000);

  it('B2: recycling after MAX_REQUESTS fails no request, even with one process only', async () => {
    const fixture = new ClusterFixture({ MAX_REQUESTS: '2000', MAX_REQUESTS_JITTER: '500' });
    const url = await fixture.url(1);
    const load = new KeepAliveLoad({ url: `${url}/pid`, connections: 50 });
    await fixture.logged('it has received 2000 requests', 3);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(fixture.count(/did not end cleanly| died/)).toBe(0);
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(0);
  }, 60_000);

  it('B4: a killed process is replaced; a successor that cannot start leaves the others; a loop ends it all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eyrie-cluster-'));
    const FAULT_FILE = join(folder, 'fault');
    const fixture = new ClusterFixture({ WEB_CONCURRENCY: '2', CRASH_LIMIT: '3', FAULT_FILE });
    const url = await fixture.url(2);
    const before = await pids(url);
    await writeFile(FAULT_FILE, 'exit');
    fixture.kill('SIGHUP');
    await fixture.logged(/A new process could not start; process \d+ stays/);
    expect(await pids(url)).toEqual(before);
    process.kill(before[0]!, 'SIGKILL');
    await fixture.logged(`Process ${before[0]} died: signal SIGKILL`);
    expect(await fixture.exit).toBe(3);
    expect(fixture.messages).toContain('3 processes died young; giving up');
    expect(before.some(isAlive)).toBe(false);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('B4: an app that cannot start ends with its own status, at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eyrie-cluster-'));
    const FAULT_FILE = join(folder, 'fault');
    await writeFile(FAULT_FILE, 'exit');
    const fixture = new ClusterFixture({ WEB_CONCURRENCY: '4', FAULT_FILE });
    expect(await fixture.exit).toBe(3);
    expect(fixture.count(/ died: /)).toBe(1);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('G1: a second signal forces', async () => {
    const fixture = new ClusterFixture({ WEB_CONCURRENCY: '2' });
    const url = await fixture.url(2);
    const cut = ask(`${url}/slow/20000`).catch(() => 'cut off');
    await sleep(200);
    fixture.kill('SIGTERM');
    await fixture.logged('fixture is draining');
    fixture.kill('SIGTERM');
    expect(await fixture.exit).toBe(143);
    expect(await cut).toBe('cut off');
    expect(fixture.count('Received SIGTERM again; ending at once')).toBe(2); // of the primary and of the one that hung
  }, 60_000);

  it('G1: processes whose primary was killed finish their requests and end', async () => {
    const fixture = new ClusterFixture({ WEB_CONCURRENCY: '2' });
    const url = await fixture.url(2);
    const orphans = await pids(url);
    const slow = ask(`${url}/slow/700`);
    await sleep(200);
    fixture.kill('SIGKILL');
    expect(await slow).toHaveProperty('pid');
    for (let tries = 0; tries < 500 && orphans.some(isAlive); tries += 1) await sleep(10);
    expect(orphans.filter(isAlive)).toEqual([]);
  }, 60_000);
});
