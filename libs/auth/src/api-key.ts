import { createHash, randomBytes } from 'node:crypto';

/** What an API key may be used for: raise alerts, look at them, change how they are handled. */
export const scopes = ['ingest', 'read', 'manage'] as const;
export type Scope = (typeof scopes)[number];

/** Who makes a request. */
export interface Caller {
  id: string;
  name: string;
  scopes: readonly Scope[];
}

/** A key as it is listed; the key itself is not kept. */
export interface ApiKey extends Caller {
  /** How the key begins, to tell it from others. Empty for keys of the configuration, of which we do not know how random they are. */
  prefix: string;
  source: 'configuration' | 'created';
  createdAt: Date;
  /** To the minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** How keys that we make begin, so that scanners for leaked secrets can know them. */
const keyPrefix = 'eyr_';

/** How much of a key is shown in lists: 6 of its 43 random characters, which leave 222 bits unknown. */
const shownLength = keyPrefix.length + 6;

/** A new key: 256 random bits. */
export function generateKey(): string {
  return keyPrefix + randomBytes(32).toString('base64url');
}

/** How a key is shown in lists. */
export function shownPrefix(key: string): string {
  return key.slice(0, shownLength);
}

/**
 * What is stored of a key. A plain SHA-256 is right here, where for a password it would not be: nobody can try 2^256
 * keys, so there is nothing that a slow hash would slow down but our own requests.
 */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
