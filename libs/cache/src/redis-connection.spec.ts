import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, type TestRedis, testRedis } from '../../../test/harness/redis.js';
import { RedisProxy } from '../fixtures/redis-proxy.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import { RedisUnavailable } from './redis-error.js';
import { RedisLink } from './redis-link.js';

let server: TestRedis;
beforeAll(async () => {
  server = await testRedis();
}, REDIS_LIMIT_MS);

describe('RedisConnection', () => {
  const limitMs = 100;
  const closings: (() => Promise<void>)[] = [];
  let proxy: RedisProxy;
  let warnings: jest.SpiedFunction<Logger['warn']>;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    warnings = jest.spyOn(Logger.prototype, 'warn');
    proxy = await RedisProxy.inFrontOf(server.url);
    closings.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const close of closings.splice(0).reverse()) await close();
    jest.restoreAllMocks();
  });

  function open(options: Partial<RedisConnectionOptions> = {}): RedisConnection {
    const { url, prefix } = { url: proxy.url, prefix: server.prefix };
    const redis = new RedisConnection({ url, prefix, commandTimeoutMs: limitMs, connectTimeoutMs: 1_000, ...options });
    closings.push(() => redis.close());
    return redis;
  }
  async function connected(options?: Partial<RedisConnectionOptions>): Promise<RedisConnection> {
    const redis = open(options);
    await eventually(() => redis.state === 'connected');
    return redis;
  }
  /** Sends commands, one after the other, until one of them is refused without a wait. */
  async function untilDown(redis: RedisConnection): Promise<void> {
    while (redis.state === 'connected') await expect(redis.command('PING')).rejects.toBeInstanceOf(RedisUnavailable);
  }
  const reasonOf = (command: Promise<unknown>) => command.catch(({ message }: Error) => message);

  it('J1: is off without a URL: commands fail, subscriptions stay silent', async () => {
    const redis = open({ url: undefined });
    expect(redis.state).toBe('off');
    await expect(redis.command('PING')).rejects.toThrow('REDIS_URL is not set');
    redis.subscribe('news', () => undefined)();
  });

  it('J1: start-up neither waits for Redis nor fails without it, and connects when it comes', async () => {
    const place = createServer().listen(0, '127.0.0.1');
    await once(place, 'listening');
    const { port } = place.address() as AddressInfo;
    place.close();
    await once(place, 'close');
    const redis = open({ url: `redis://127.0.0.1:${port}` });
    expect(redis.state).toBe('down');
    await expect(redis.command('PING')).rejects.toThrow('Redis is down: not connected yet');
    await eventually(() => warnings.mock.calls.length > 0);
    await expect(redis.command('PING')).rejects.toThrow(/ECONNREFUSED/);
    const late = await RedisProxy.inFrontOf(server.url, port);
    closings.push(() => late.close());
    await eventually(() => redis.state === 'connected');
    expect(await redis.command('PING')).toBe('PONG');
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('J1: a Redis that hangs costs the limit a few times, then nothing, and nothing queues for it', async () => {
    const redis = await connected();
    proxy.hang();
    const started = performance.now();
    const silent: unknown[] = [];
    while (redis.state === 'connected') silent.push(await reasonOf(redis.command('PING')));
    expect(silent).toEqual(Array.from({ length: 3 }, () => `no answer within ${limitMs} ms`));
    expect(performance.now() - started).toBeLessThan(10 * limitMs); // 3 × and some leeway for a busy machine

    const held = proxy.held.length;
    const refused = await Promise.all(Array.from({ length: 1_000 }, () => reasonOf(redis.command('PING'))));
    expect(new Set(refused)).toEqual(new Set([`Redis is down: no answer within ${limitMs} ms`]));
    // What is sent on meanwhile is at most the login of the next attempt.
    expect(proxy.held.length).toBeLessThanOrEqual(held + 1);
    expect(proxy.held.some(({ bytes }) => bytes.includes('HELLO') && bytes.includes('PING'))).toBe(false);

    proxy.heal();
    await eventually(() => redis.state === 'connected');
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('J1: no more than a bounded number of commands waits at once', async () => {
    const redis = await connected();
    proxy.hang();
    const outcomes = await Promise.allSettled(Array.from({ length: 10_001 }, () => redis.command('PING')));
    const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
    expect(reasons.filter(({ message }) => message === '10000 commands wait for Redis already')).toHaveLength(1);
  });

  it('J1: a Redis that is slower than the limit counts as down until it is faster', async () => {
    const redis = await connected();
    proxy.slow(2 * limitMs);
    await untilDown(redis);
    const before = proxy.accepted;
    await eventually(() => proxy.accepted >= before + 2); // it answers the login, in time for that, but not the PING
    expect(redis.state).toBe('down');
    expect(warnings).toHaveBeenCalledTimes(1);
    proxy.heal();
    await eventually(() => redis.state === 'connected');
  });

  it('J1: a connection that breaks fails what was sent on it at once, and is replaced', async () => {
    const redis = await connected({ commandTimeoutMs: 5_000 });
    proxy.hang();
    const sent = redis.command('PING').catch((error: unknown) => error);
    await eventually(() => proxy.held.length === 1);
    proxy.cut();
    expect(await sent).toBeInstanceOf(RedisUnavailable);
    expect(redis.state).toBe('down');
    proxy.heal();
    await eventually(() => redis.state === 'connected');
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('J1: an idle connection that died without a word is noticed by its heartbeat', async () => {
    const link = new RedisLink({
      url: proxy.url,
      purpose: 'test',
      connectTimeoutMs: 1_000,
      commandTimeoutMs: limitMs,
      heartbeatMs: 20,
      heartbeatLimitMs: 50,
    });
    closings.push(() => link.close());
    await eventually(() => link.isUp);
    proxy.hang();
    await eventually(() => !link.isUp);
  });

  it('J1: an answer that came while the process was busy is in time', async () => {
    const redis = await connected({ url: server.url, commandTimeoutMs: 10 });
    await redis.command('PING'); // from here on in the turn that reads from sockets, after which timers come first
    const answer = redis.command('PING');
    for (const end = performance.now() + 50; performance.now() < end;);
    expect(await answer).toBe('PONG');
  });

  it('J1: what a request finds broken is mended outside its context', async () => {
    const context = new AsyncLocalStorage<string>();
    const redis = await connected();
    const seen: unknown[] = [];
    redis.onConnected(() => seen.push(context.getStore()));
    proxy.hang();
    await context.run('request 1', () => untilDown(redis));
    proxy.heal();
    await eventually(() => seen.length > 0);
    expect(seen).toEqual([undefined]);
  });

  it('J1: a script is sent once, and again after Redis forgot it', async () => {
    const redis = await connected();
    const lua = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    const add = (amount: number) => redis.script<number>(lua, [redis.key('sum')], amount);
    await redis.command('DEL', redis.key('sum'));
    expect([await add(2), await add(3)]).toEqual([2, 5]);
    await redis.command('SCRIPT', 'FLUSH');
    expect(await add(4)).toBe(9);
    await redis.command('SET', redis.key('sum'), 'text');
    await expect(add(1)).rejects.toThrow(/not an integer/);
  });

  it('J1: a refusal is passed on without what was sent, and is no outage', async () => {
    const redis = await connected();
    for (let count = 0; count < 5; count += 1) {
      const refusal = await redis
        .command('SET', redis.key('secret-key'), 'secret value', 'NONSENSE')
        .catch((e: unknown) => e);
      expect(refusal).toMatchObject({ message: 'ERR syntax error' });
      expect(refusal).not.toHaveProperty('command');
    }
    expect(redis.state).toBe('connected');
  });

  it('C5: the password stands in no log line and no error, even where a server repeats it', async () => {
    const parrot = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        for (const command of bytes.toString().split(/(?<=\n)(?=\*)/)) {
          socket.write(`-ERR not this: ${command.replaceAll('\r\n', ' ')}\r\n`);
        }
      });
    });
    parrot.listen(0, '127.0.0.1');
    await once(parrot, 'listening');
    closings.push(async () => void parrot.close());
    const { port } = parrot.address() as AddressInfo;
    const redis = open({ url: `redis://eyrie:hunter2%2Fhunter3@127.0.0.1:${port}` });
    await eventually(() => warnings.mock.calls.length > 0);
    const failure = (await redis.command('PING').catch((error: unknown) => error)) as Error;
    expect(failure.message).toContain('not this');
    expect(`${inspect(failure)} ${inspect(warnings.mock.calls)}`).not.toContain('hunter');
  });

  it('J1: a login that is refused is down like any other, and says so', async () => {
    const url = new URL(proxy.url);
    url.username = 'nobody';
    url.password = 'wrong';
    const redis = open({ url: url.href });
    await eventually(() => warnings.mock.calls.length > 0);
    await expect(redis.command('PING')).rejects.toThrow(/WRONGPASS/);
  });

  it('J1: what was sent before closing is still answered', async () => {
    const redis = await connected();
    proxy.slow(30);
    const answer = redis.command('PING');
    await redis.close();
    expect(await answer).toBe('PONG');
    await expect(redis.command('PING')).rejects.toThrow('the connection was closed');
  });

  it('J1: rediss:// is TLS and names the server', async () => {
    const named = Promise.withResolvers<string>();
    const tls = createTlsServer({ SNICallback: (name) => named.resolve(name) }).listen(0);
    tls.on('tlsClientError', () => undefined);
    closings.push(async () => void tls.close());
    await once(tls, 'listening');
    open({ url: `rediss://localhost:${(tls.address() as AddressInfo).port}` });
    expect(await named.promise).toBe('localhost');
  });
});
