import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../../../test/harness/redis.js';
import { onceInRun, runFolder } from '../../../test/harness/test-run.js';
import { Cache } from './cache.js';
import { RedisConnection } from './redis-connection.js';
import { RedisStore } from './redis-store.js';

/** A Redis that only this file uses, to be stopped, killed and started again on its port. */
class OwnRedis {
  private static count = 0;
  private process?: ChildProcess;
  private told = '';

  private constructor(readonly port: number) {}

  static async start(): Promise<OwnRedis> {
    const place = createServer().listen(0, '127.0.0.1');
    await once(place, 'listening');
    const { port } = place.address() as AddressInfo;
    place.close();
    await once(place, 'close');
    const redis = new OwnRedis(port);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const name = `cache-${process.pid}-${(OwnRedis.count += 1)}`;
    // Told to the watchdog of the run, which ends it should this file be killed.
    await onceInRun(name, async (started) => {
      const directory = join(runFolder(), name);
      await mkdir(directory);
      const settings = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
      this.process = spawn('redis-server', settings, { stdio: 'ignore' });
      await once(this.process, 'spawn');
      await started({ pid: this.process.pid!, signal: 'SIGKILL', directory });
      return { port: this.port };
    });
    this.told = join(runFolder(), `${name}.server.json`);
  }

  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
    await rm(this.told); // its number may soon be another's
  }
}

describe('a cache whose Redis', () => {
  const limitMs = 100;
  const readers = 20;
  let server: OwnRedis;
  let redis: RedisConnection;
  let cache: Cache;
  let loads: number;
  let running: boolean;
  let reads: number;
  /** Why commands failed. */
  let faults: string[];
  let traffic: Promise<void[]>;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    await testRedis(); // which installs it where it is missing
  }, REDIS_LIMIT_MS);

  /** Steady traffic of cached reads: 20 at a time, each checked. */
  beforeEach(async () => {
    server = await OwnRedis.start();
    const url = `redis://127.0.0.1:${server.port}`;
    redis = new RedisConnection({ url, prefix: 'test:', commandTimeoutMs: limitMs, connectTimeoutMs: 500 });
    cache = new Cache(new RedisStore(redis), { valueSize: 2 ** 20 });
    await eventually(() => redis.state === 'connected');
    loads = 0;
    running = true;
    reads = 0;
    faults = [];
    const run = redis.run.bind(redis);
    redis.run = async (...command) => {
      try {
        return await run(...command);
      } catch (error) {
        faults.push((error as Error).message);
        throw error;
      }
    };
    traffic = Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)));
    await served(1_000);
  });
  afterEach(async () => {
    running = false;
    await traffic;
    await redis.close();
    await server.kill();
  });

  async function read(reader: number): Promise<void> {
    for (let count = 0; running; count += 1) {
      const key = `${reader}-${count % 10}`;
      const load = async () => {
        loads += 1;
        return { key };
      };
      expect(await cache.getOrLoad('item', key, { ttlMs: 600_000 }, load)).toEqual({ key });
      reads += 1;
      await turn();
    }
  }
  /** Commands that waited for Redis in vain, until the limit. */
  const waited = () => faults.filter((fault) => fault === `no answer within ${limitMs} ms`).length;
  async function served(count: number): Promise<void> {
    const enough = reads + count;
    await eventually(() => reads >= enough);
  }
  /** All of it comes from Redis again. */
  async function recovered(): Promise<void> {
    await eventually(() => redis.state === 'connected');
    await eventually(async () => {
      const before = loads;
      await served(10 * readers);
      return loads === before;
    });
  }

  it('J1: hangs makes each reader wait once, for the limit, and answers again by itself', async () => {
    server.signal('SIGSTOP');
    await eventually(() => redis.state === 'down');
    await served(10_000);
    expect(redis.state).toBe('down');
    expect(waited()).toBeGreaterThan(0);
    expect(waited()).toBeLessThanOrEqual(readers);
    server.signal('SIGCONT');
    await recovered();
  });

  it('J1: is killed makes nobody wait, and is used again when it is back', async () => {
    await server.kill();
    await eventually(() => redis.state === 'down');
    await served(10_000);
    expect(waited()).toBe(0);
    await server.start();
    await recovered();
  });

  it('J1: is flushed fills it again', async () => {
    const before = loads;
    await redis.command('FLUSHALL');
    await eventually(() => loads > before);
    await recovered();
    expect(waited()).toBe(0);
    // Each of the readers' ten values once, and no more.
    expect(loads).toBe(before + 10 * readers);
  });

  it('J1: becomes a replica, which refuses writes, is left for a new connection until it is a primary again', async () => {
    const before = await redis.command('CLIENT', 'ID');
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    await expect(redis.command('SET', redis.key('x'), '1')).rejects.toThrow(/READONLY/);
    await eventually(async () => (await redis.command('CLIENT', 'ID')) !== before);
    await eventually(() => redis.command('REPLICAOF', 'NO', 'ONE'));
    await eventually(() => redis.command('SET', redis.key('x'), '1'));
  });
});
