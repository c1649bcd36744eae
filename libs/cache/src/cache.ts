import { Logger } from '@nestjs/common';
import { cacheErrors, cacheHits, cacheMisses } from './cache.metrics.js';
import type { CacheStore } from './cache-store.js';
import { type Codec, json, unwrap, wrap } from './codec.js';

export interface Caching<T> {
  /** How long the value may be used. */
  ttlMs: number;
  /** The share by which single lives differ from that, so that what was stored together does not expire together. 0.1 unless told. */
  jitter?: number;
  /** JSON unless told. */
  codec?: Codec<T>;
}

export interface CacheLimits {
  /** The longest text of a value, in bytes. */
  valueSize: number;
  /** From 0 to 1. */
  random?: () => number;
  /** Milliseconds that only grow. */
  now?: () => number;
}

interface Found<T> {
  value: T;
  loadMs: number;
  leftMs: number;
}

/**
 * Remembers what is slow to find out, in Redis or in memory, and never stands in the way: when the store fails, reads
 * are misses and writes are lost, and nothing here rejects because of it.
 *
 * A value has a type, which is the label of its metrics (so: a word of the code, never a user's), and a key within it.
 * Values are shared between callers: treat them as read-only.
 *
 * @example
 * const user = await cache.getOrLoad('user', id, { ttlMs: 60_000 }, () => users.findOneByOrFail({ id }));
 * await cache.delete('user', id); // when it changed
 */
export class Cache {
  private readonly logger = new Logger(Cache.name);
  /** Reads under way that may go on to load, and loads: each at most once for a name in this process. */
  private readonly reads = new Map<string, Promise<unknown>>();
  private readonly loads = new Map<string, Promise<unknown>>();
  private readonly unfit = new Set<string>();
  private readonly random: () => number;
  private readonly now: () => number;

  constructor(
    private readonly store: CacheStore,
    private readonly limits: CacheLimits,
  ) {
    this.random = limits.random ?? Math.random;
    this.now = limits.now ?? (() => performance.now());
  }

  /** The value, or `undefined`. */
  async get<T>(type: string, key: string, codec: Codec<T> = json as Codec<T>): Promise<T | undefined> {
    return (await this.find(type, nameOf(type, key), codec))?.value;
  }

  /** Stores a value over whatever there was. `undefined` and what is too large for the cache delete it. */
  async set<T>(type: string, key: string, value: T, caching: Caching<T>): Promise<void> {
    const name = nameOf(type, key);
    this.detach(name);
    if (!(await this.write(type, name, value, caching, 0))) await this.remove(type, name);
  }

  /** Forgets a value; what is being loaded for it right now is not stored. */
  async delete(type: string, key: string): Promise<void> {
    const name = nameOf(type, key);
    this.detach(name);
    await this.remove(type, name);
  }

  /**
   * The cached value, or what `load` returns, which is then stored. However many ask at once in this process, `load`
   * runs once; if it fails all of them get its error, nothing is stored, and the next call tries again.
   *
   * Across processes, a value that is asked for often is loaded anew shortly before it expires, in the background, by
   * one or a few of them: each rolls a die that is weighted by how long loading takes and how little time is left
   * (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
   */
  async getOrLoad<T>(type: string, key: string, caching: Caching<T>, load: () => Promise<T>): Promise<T> {
    const name = nameOf(type, key);
    return once(this.reads, name, async () => {
      const found = await this.find(type, name, caching.codec ?? (json as Codec<T>));
      if (!found) return this.load(type, name, caching, load);
      if (found.leftMs < found.loadMs * -Math.log(this.random())) {
        this.load(type, name, caching, load).catch((error: unknown) => {
          this.logger.debug(`Could not load ${type} anew before it expires; the next call tries again`, error);
        });
      }
      return found.value;
    });
  }

  private load<T>(type: string, name: string, caching: Caching<T>, load: () => Promise<T>): Promise<T> {
    return once(this.loads, name, async (isCurrent) => {
      const started = this.now();
      const value = await load();
      // Not awaited: whoever reads next on the same connection reads after this.
      if (isCurrent()) void this.write(type, name, value, caching, this.now() - started);
      return value;
    });
  }

  /** What is under way for the name ends for those who wait for it, and is stored no more. */
  private detach(name: string): void {
    this.reads.delete(name);
    this.loads.delete(name);
  }

  private async find<T>(type: string, name: string, codec: Codec<T>): Promise<Found<T> | undefined> {
    const stored = await this.attempt(type, () => this.store.get(name));
    const entry = stored && unwrap(stored.text, codec);
    (entry ? cacheHits : cacheMisses).inc({ cache_type: type });
    return entry && { ...entry, leftMs: stored.leftMs };
  }

  /** Whether the value is stored. */
  private async write<T>(type: string, name: string, value: T, caching: Caching<T>, loadMs: number): Promise<boolean> {
    const { ttlMs, jitter = 0.1, codec = json as Codec<T> } = caching;
    const text = this.encode(type, value, codec);
    const lifeMs = ttlMs * (1 + jitter * (2 * this.random() - 1));
    if (text === undefined || !(lifeMs > 0)) return false;
    const stored = await this.attempt(type, async () => {
      await this.store.set(name, wrap(loadMs, text), lifeMs);
      return true;
    });
    return stored === true;
  }

  private async remove(type: string, name: string): Promise<void> {
    await this.attempt(type, () => this.store.delete(name));
  }

  private encode<T>(type: string, value: T, codec: Codec<T>): string | undefined {
    if (value === undefined) return undefined;
    try {
      const text = codec.encode(value);
      if (text === undefined || Buffer.byteLength(text) <= this.limits.valueSize) return text;
      this.refuse(type, new RangeError(`${Buffer.byteLength(text)} bytes are more than CACHE_VALUE_SIZE`));
    } catch (error) {
      this.refuse(type, error);
    }
    return undefined;
  }

  /** Logged once for a type: what is unfit today will be unfit a thousand times an hour. */
  private refuse(type: string, error: unknown): void {
    cacheErrors.inc({ cache_type: type });
    if (this.unfit.has(type)) return;
    this.unfit.add(type);
    this.logger.warn(`A value of ${type} cannot be cached`, error);
  }

  private async attempt<T>(type: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch {
      // Why Redis is down is logged where its connection is, once; here it would be once a request.
      cacheErrors.inc({ cache_type: type });
      return undefined;
    }
  }
}

/** Runs `work` unless it is running for the name already. `isCurrent` turns false when the name was taken off the map. */
function once<T>(
  running: Map<string, Promise<unknown>>,
  name: string,
  work: (isCurrent: () => boolean) => Promise<T>,
): Promise<T> {
  const known = running.get(name);
  if (known) return known as Promise<T>;
  const isCurrent = () => running.get(name) === flight;
  const flight: Promise<T> = Promise.resolve()
    .then(() => work(isCurrent))
    .finally(() => {
      if (isCurrent()) running.delete(name);
    });
  running.set(name, flight);
  return flight;
}

function nameOf(type: string, key: string): string {
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(type)) throw new TypeError(`${type} is not the name of a cache type`);
  return `${type}:${key}`;
}
