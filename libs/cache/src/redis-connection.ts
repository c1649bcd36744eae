import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { CacheSettings } from './cache.config.js';
import { isRefusal, RedisUnavailable } from './redis-error.js';
import { RedisLink, type RunOptions } from './redis-link.js';
import { RedisSubscriptions, type SubscribeOptions } from './redis-subscriptions.js';

export type RedisState = 'connected' | 'down' | 'off';

export type RedisConnectionOptions = Pick<CacheSettings, 'url' | 'prefix' | 'commandTimeoutMs' | 'connectTimeoutMs'>;

/**
 * The Redis of the process, for whatever gets faster or wider by it and goes on without. No call waits longer than
 * `REDIS_COMMAND_TIMEOUT`, and none waits at all while Redis is down: see {@link RedisLink}.
 *
 * @example
 * try {
 *   const count = await redis.command<number>('INCR', redis.key('limit', client));
 * } catch {
 *   // RedisUnavailable: count locally
 * }
 */
export class RedisConnection {
  private readonly link?: RedisLink;
  private readonly subscriptions?: RedisSubscriptions;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: RedisConnectionOptions) {
    const { url } = options;
    if (url === undefined) return;
    const onUp = () => this.listeners.forEach((listener) => listener());
    this.link = new RedisLink({ ...options, url, purpose: 'commands', onUp });
    this.subscriptions = new RedisSubscriptions({ ...options, url });
  }

  /** `off` where `REDIS_URL` is unset. */
  get state(): RedisState {
    if (!this.link) return 'off';
    return this.link.isUp ? 'connected' : 'down';
  }

  /** The name of a key that is this installation's own. */
  key(...parts: readonly string[]): string {
    return this.options.prefix + parts.join(':');
  }

  /** One command; keys by {@link key}. Transactions and blocking commands have no place on a shared connection. */
  command<T = unknown>(name: string, ...args: readonly (string | number | Buffer)[]): Promise<T> {
    return this.run((client) => client.call(name, [...args]) as Promise<T>);
  }

  /** A Lua script, of which Redis is sent only the digest once it knows the text. */
  async script<T = unknown>(lua: string, keys: readonly string[], ...args: readonly (string | number)[]): Promise<T> {
    const digest = createHash('sha1').update(lua).digest('hex');
    try {
      return await this.command<T>('EVALSHA', digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isRefusal(error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.command<T>('EVAL', lua, keys.length, ...keys, ...args);
    }
  }

  /** What `work` does with the client: pipelines, mostly. The limit is for all of it. */
  async run<T>(work: (client: Redis) => Promise<T>, options?: RunOptions): Promise<T> {
    if (!this.link) throw new RedisUnavailable('REDIS_URL is not set');
    return this.link.run(work, options);
  }

  /** Calls the listener whenever a new connection is up, before anything else is sent on it; returns how to end that. */
  onConnected(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Tells all subscribers of the channel, in every process; their number. At most once: who is not there misses it. */
  publish(channel: string, message: string): Promise<number> {
    return this.command('PUBLISH', this.key(channel), message);
  }

  /**
   * Calls `onMessage` for what is published, as long as Redis is there; returns how to end that. `onListening` says,
   * first and after every break, that messages arrive from now on and earlier ones may have been missed.
   */
  subscribe(channel: string, onMessage: (message: string) => void, options: SubscribeOptions = {}): () => void {
    return this.subscriptions?.add(this.key(channel), { onMessage, ...options }) ?? (() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all([this.link?.close(), this.subscriptions?.close()]);
  }
}
