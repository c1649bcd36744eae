import { createHash } from 'node:crypto';
import type { CacheStore, StoredText } from './cache-store.js';
import type { RedisConnection } from './redis-connection.js';

const longestName = 256;
const mostUncertain = 10_000;

/**
 * The cache that all processes share.
 *
 * A deletion that Redis did not confirm is remembered and made up for on the next connection, and until then the name is
 * not read: an outage must not bring back what was deleted. (Up to 10,000 of them; beyond that, and when the process
 * dies before Redis returns, the value's own life is the bound.)
 */
export class RedisStore implements CacheStore {
  private readonly uncertain = new Set<string>();

  constructor(private readonly redis: RedisConnection) {
    redis.onConnected(() => void this.makeUp());
  }

  async get(name: string): Promise<StoredText | undefined> {
    const key = this.key(name);
    if (this.uncertain.has(key)) return undefined;
    // The time left comes from Redis rather than with the value: clocks differ between machines.
    const replies = await this.redis.run((client) => client.pipeline().get(key).pttl(key).exec());
    const [[error, text], [, leftMs]] = replies as [[Error | null, string | null], [Error | null, number]];
    if (error) throw error;
    return text === null ? undefined : { text, leftMs: Math.max(0, leftMs) };
  }

  async set(name: string, text: string, ttlMs: number): Promise<void> {
    const key = this.key(name);
    await this.redis.command('SET', key, text, 'PX', Math.max(1, Math.round(ttlMs)));
    this.uncertain.delete(key);
  }

  async delete(name: string): Promise<void> {
    const key = this.key(name);
    try {
      await this.redis.command('UNLINK', key);
      this.uncertain.delete(key);
    } catch (error) {
      if (this.uncertain.size < mostUncertain) this.uncertain.add(key);
      throw error;
    }
  }

  /** Forgotten first and deleted second: on one connection, whatever is read from here on is read after the deletion. */
  private async makeUp(): Promise<void> {
    const keys = [...this.uncertain];
    if (keys.length === 0) return;
    this.uncertain.clear();
    try {
      await this.redis.command('UNLINK', ...keys);
    } catch {
      keys.forEach((key) => this.uncertain.add(key));
    }
  }

  /** Names that somebody made long are kept by their digest. */
  private key(name: string): string {
    const short = name.length <= longestName ? name : `sha256:${createHash('sha256').update(name).digest('base64url')}`;
    return this.redis.key('cache', short);
  }
}
