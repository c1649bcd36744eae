import type { Database } from 'eyrie/database';
import { announceAccessChange } from './access-changes.js';
import { ApiKeyError } from './api-key-error.js';
import { type Scope, scopes as allScopes } from './caller.js';
import { hashCredential } from './credential.js';

/** The keys that the configuration may hold. */
export interface ConfiguredKeys {
  ingestKey?: string | undefined;
  operatorKey?: string | undefined;
}

const grants: Readonly<Record<keyof ConfiguredKeys, { name: string; scopes: readonly Scope[] }>> = {
  ingestKey: { name: 'INGEST_KEY', scopes: ['ingest'] },
  operatorKey: { name: 'OPERATOR_KEY', scopes: allScopes },
};

/** Names that only the configuration gives. */
export const configuredNames: readonly string[] = Object.values(grants).map(({ name }) => name);

/** Any number that nobody else uses for advisory locks in this database. */
const LOCK = 2_087_613_377;

/**
 * Makes the stored keys of the configuration what the configuration says: a new one is added, a changed one takes the
 * place of the old, one that is gone is revoked. Any number of processes may call this at once.
 *
 * @throws ApiKeyError if a key is the same as one that was created
 */
export async function provisionKeys(database: Database, configured: ConfiguredKeys): Promise<void> {
  const wanted = Object.entries(grants).flatMap(([setting, grant]) => {
    const key = configured[setting as keyof ConfiguredKeys];
    return key === undefined ? [] : [{ ...grant, hash: hashCredential(key) }];
  });
  await database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const stored = await tx.query<{ id: string; name: string; hash: Buffer; scopes: Scope[] }>(
      `SELECT id, name, hash, scopes FROM api_keys WHERE source = 'configuration' AND revoked_at IS NULL`,
    );
    const same = (one: (typeof stored)[0], other: (typeof wanted)[0]) =>
      one.name === other.name && one.hash.equals(other.hash) && one.scopes.join() === other.scopes.join();
    const stale = stored.filter((key) => !wanted.some((other) => same(key, other)));
    const missing = wanted.filter((key) => !stored.some((other) => same(other, key)));
    // First all that go, then all that come: two keys may have changed places.
    await tx.query('UPDATE api_keys SET revoked_at = now() WHERE id = ANY($1)', [stale.map(({ id }) => id)]);
    if (stale.length > 0) await announceAccessChange(tx);
    for (const { name, hash, scopes } of missing) {
      const added = await tx.query(
        `INSERT INTO api_keys (name, hash, prefix, scopes, source) VALUES ($1, $2, '', $3, 'configuration')
         ON CONFLICT (hash) WHERE revoked_at IS NULL DO NOTHING RETURNING id`,
        [name, hash, scopes],
      );
      if (added.length === 0)
        throw new ApiKeyError('taken', `${name} is the same key as one that was created; use another`);
    }
  });
}
