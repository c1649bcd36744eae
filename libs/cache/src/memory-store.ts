import type { CacheStore, StoredText } from './cache-store.js';

export interface MemoryStoreOptions {
  entries: number;
  bytes: number;
  /** Milliseconds that only grow. */
  now?: () => number;
}

interface Entry {
  text: string;
  expiresAt: number;
  bytes: number;
}

/** What an entry costs beside its text, roughly. */
const overheadBytes = 200;

/** The cache of a process without Redis: the least recently used goes first, by number and by size. */
export class MemoryStore implements CacheStore {
  /** In the order of use, the latest last. */
  private readonly entries = new Map<string, Entry>();
  private readonly now: () => number;
  private bytes = 0;

  constructor(private readonly options: MemoryStoreOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  async get(name: string): Promise<StoredText | undefined> {
    const entry = this.take(name);
    if (!entry) return undefined;
    const leftMs = entry.expiresAt - this.now();
    if (leftMs <= 0) return undefined;
    this.put(name, entry);
    return { text: entry.text, leftMs };
  }

  async set(name: string, text: string, ttlMs: number): Promise<void> {
    this.take(name);
    // V8 keeps a character in one or two bytes; two is the safe guess.
    const bytes = 2 * (name.length + text.length) + overheadBytes;
    if (bytes > this.options.bytes) return; // it would drive out all others, and then itself
    this.put(name, { text, expiresAt: this.now() + ttlMs, bytes });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.options.entries && this.bytes <= this.options.bytes) break;
      this.take(oldest);
    }
  }

  async delete(name: string): Promise<void> {
    this.take(name);
  }

  private take(name: string): Entry | undefined {
    const entry = this.entries.get(name);
    if (!entry) return undefined;
    this.entries.delete(name);
    this.bytes -= entry.bytes;
    return entry;
  }

  private put(name: string, entry: Entry): void {
    this.entries.set(name, entry);
    this.bytes += entry.bytes;
  }
}
