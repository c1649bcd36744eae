import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, type TestRedis, testRedis } from '../../../test/harness/redis.js';
import { RedisProxy } from '../fixtures/redis-proxy.js';
import { RedisConnection } from './redis-connection.js';

let server: TestRedis;
beforeAll(async () => {
  server = await testRedis();
}, REDIS_LIMIT_MS);

describe('subscriptions', () => {
  let proxy: RedisProxy;
  /** The subscriber, by way of the proxy, and the one who tells. */
  let redis: RedisConnection;
  let teller: RedisConnection;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    proxy = await RedisProxy.inFrontOf(server.url);
    const options = { prefix: server.prefix, commandTimeoutMs: 500, connectTimeoutMs: 300 };
    redis = new RedisConnection({ ...options, url: proxy.url });
    teller = new RedisConnection({ ...options, url: server.url });
    await eventually(() => teller.state === 'connected');
  });
  afterEach(async () => {
    await redis.close();
    await teller.close();
    await proxy.close();
    jest.restoreAllMocks();
  });

  /** Subscribes, and waits until Redis has confirmed it. */
  async function subscribe(channel: string, onMessage: (message: string) => void) {
    const onListening = jest.fn();
    const end = redis.subscribe(channel, onMessage, { onListening });
    await eventually(() => onListening.mock.calls.length > 0);
    return { end, onListening };
  }

  it('J1: what one process publishes reaches the subscribers of others, and nobody else', async () => {
    const [news, weather] = [[], []] as string[][] as [string[], string[]];
    await subscribe('news', (message) => news.push(message));
    await subscribe('weather', (message) => weather.push(message));
    expect(await teller.publish('news', 'one')).toBe(1);
    expect(await teller.publish('weather', 'rain')).toBe(1);
    await eventually(() => news.length === 1 && weather.length === 1);
    expect([news, weather]).toEqual([['one'], ['rain']]);
  });

  it('J1: another installation with its own prefix hears nothing', async () => {
    await subscribe('news', () => undefined);
    const other = new RedisConnection({
      url: server.url,
      prefix: `${server.prefix}other:`,
      commandTimeoutMs: 500,
      connectTimeoutMs: 500,
    });
    await eventually(() => other.state === 'connected');
    expect(await other.publish('news', 'one')).toBe(0);
    await other.close();
  });

  it('J1: a broken connection is renewed with every subscription, and subscribers are told of the gap', async () => {
    const heard: string[] = [];
    const news = await subscribe('news', (message) => heard.push(`news ${message}`));
    const weather = await subscribe('weather', (message) => heard.push(`weather ${message}`));
    proxy.cut();
    await eventually(() => news.onListening.mock.calls.length === 2 && weather.onListening.mock.calls.length === 2);
    await teller.publish('news', 'two');
    await teller.publish('weather', 'sun');
    await eventually(() => heard.length === 2);
    expect(heard.sort()).toEqual(['news two', 'weather sun']);
  });

  it('J1: a Redis that accepts and never confirms is left for a new connection', async () => {
    await eventually(() => redis.state === 'connected');
    await subscribe('first', () => undefined);
    proxy.hang();
    const onListening = jest.fn();
    redis.subscribe('second', () => undefined, { onListening });
    const before = proxy.accepted;
    await eventually(() => proxy.accepted > before);
    expect(onListening).not.toHaveBeenCalled();
    proxy.heal();
    await eventually(() => onListening.mock.calls.length === 1);
  });

  it('J1: the last subscriber to go ends the subscription', async () => {
    const heard: string[] = [];
    const first = await subscribe('news', () => heard.push('first'));
    const second = await subscribe('news', () => heard.push('second'));
    first.end();
    first.end();
    expect(await teller.publish('news', 'one')).toBe(1);
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['second']);
    second.end();
    await eventually(async () => (await teller.publish('news', 'two')) === 0);
  });

  it('J1: a subscriber that throws keeps no other from hearing', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error');
    const heard: string[] = [];
    await subscribe('news', () => {
      throw new Error('deaf');
    });
    await subscribe('news', (message) => heard.push(message));
    await teller.publish('news', 'one');
    await eventually(() => heard.length === 1);
    expect(errors).toHaveBeenCalledTimes(1);
  });
});
