/** What a store knows of a value: its text, and how much of its life is left. */
export interface StoredText {
  text: string;
  leftMs: number;
}

/**
 * Where a {@link Cache} keeps what it remembers: in Redis, or in memory. One contract spec runs against both.
 *
 * A rejection means that the store is not to be had. Calls take effect in the order in which they were made.
 */
export interface CacheStore {
  get(name: string): Promise<StoredText | undefined>;
  set(name: string, text: string, ttlMs: number): Promise<void>;
  /** The value is not seen again by this process, whether the promise resolves or rejects. */
  delete(name: string): Promise<void>;
}
