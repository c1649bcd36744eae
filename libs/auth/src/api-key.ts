import { randomBytes } from 'node:crypto';
import type { Scope } from './caller.js';

/** A key as it is listed; the key itself is not kept. */
export interface ApiKey {
  id: string;
  name: string;
  scopes: readonly Scope[];
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
