import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { announceAccessChange } from './access-changes.js';
import { type ApiKey, generateKey, shownPrefix } from './api-key.js';
import { ApiKeyError } from './api-key-error.js';
import { type Actor, recordAuthEvent, terminal } from './auth-events.js';
import { isScope, type KeyCaller, type Scope, scopes } from './caller.js';
import { type ConfiguredKeys, configuredNames, provisionKeys } from './configured-keys.js';
import { hashCredential } from './credential.js';
import { CredentialVerifier } from './credential-verifier.js';
import { KeyUses } from './key-uses.js';

/** The columns of {@link ApiKey}. */
const columns = `id, name, prefix, scopes, source, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

const findByHash = {
  name: 'api-key-by-hash',
  text: 'SELECT id, name, scopes, hash FROM api_keys WHERE hash = $1 AND revoked_at IS NULL',
};

/** API keys for machines: shown once, stored as hashes, with scopes, revocable. */
@Injectable()
export class ApiKeysService {
  private readonly verifier: CredentialVerifier<KeyCaller>;
  private readonly uses: KeyUses;

  constructor(private readonly database: Database) {
    this.verifier = new CredentialVerifier((hash) => this.find(hash));
    this.uses = new KeyUses(database);
  }

  /**
   * Makes a key. This is the only time that it is told.
   * @throws ApiKeyError if the name is empty or taken, or the scopes are none or unknown
   */
  async create(name: string, wanted: readonly string[], by: Actor = terminal): Promise<ApiKey & { key: string }> {
    const granted = [...new Set(wanted)];
    const unknown = granted.filter((scope) => !isScope(scope));
    if (unknown.length > 0)
      throw new ApiKeyError('invalid', `no such scope: ${unknown.join(', ')}; there are ${scopes.join(', ')}`);
    if (granted.length === 0) throw new ApiKeyError('invalid', `a key needs a scope: ${scopes.join(', ')}`);
    if (!/^[\w.@/-]([\w.@/ -]{0,98}[\w.@/-])?$/.test(name)) {
      throw new ApiKeyError(
        'invalid',
        'a name has 1 to 100 letters, digits, blanks or . _ - @ /, with no blank at its ends',
      );
    }
    if (configuredNames.includes(name)) throw new ApiKeyError('invalid', `the name ${name} is that of a setting`);
    const key = generateKey();
    const created = await this.database.transaction(async (tx) => {
      const [row] = await tx.query<ApiKey>(
        `INSERT INTO api_keys (name, hash, prefix, scopes, source) VALUES ($1, $2, $3, $4, 'created')
         ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING ${columns}`,
        [name, hashCredential(key), shownPrefix(key), granted],
      );
      if (row) await recordAuthEvent(tx, 'key-created', by, { subject: name, key: row.id, scopes: granted });
      return row;
    });
    if (!created) throw new ApiKeyError('taken', `there is a key named ${name} already`);
    return { ...created, key };
  }

  /** All keys, revoked ones too, the newest first. */
  list(): Promise<ApiKey[]> {
    return this.database.query<ApiKey>(`SELECT ${columns} FROM api_keys ORDER BY id DESC`);
  }

  /**
   * Revokes the key with this name or id. Here it stops working at once, in other processes when the
   * notice of it arrives, and within 10 seconds if none does.
   * @throws ApiKeyError if there is none, or if it comes from the configuration and would come back from there
   */
  async revoke(nameOrId: string, by: Actor = terminal): Promise<ApiKey> {
    const [key] = await this.database.query<ApiKey>(
      `SELECT ${columns} FROM api_keys WHERE (name = $1 OR id::text = $1) AND revoked_at IS NULL
       ORDER BY id::text = $1 DESC LIMIT 1`,
      [nameOrId],
    );
    if (!key) throw new ApiKeyError('missing', `there is no key ${nameOrId} to revoke`);
    if (key.source === 'configuration')
      throw new ApiKeyError('refused', `${key.name} is a setting; remove or change it there`);
    const [revoked] = await this.database.transaction(async (tx) => {
      await announceAccessChange(tx);
      await recordAuthEvent(tx, 'key-revoked', by, { subject: key.name, key: key.id });
      return tx.query<ApiKey>(
        `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING ${columns}`,
        [key.id],
      );
    });
    this.forget();
    return revoked ?? key;
  }

  /**
   * Whose key this is; `undefined` if it is nobody's. Answers are remembered for 10 seconds (2 if nobody's).
   * @throws DatabaseUnavailableError when the database is gone and no answer is remembered
   */
  async verify(key: string): Promise<KeyCaller | undefined> {
    const caller = await this.verifier.verify(key);
    if (caller) this.uses.note(caller.id);
    return caller;
  }

  /** Forgets what is remembered of keys, because one has changed elsewhere. */
  forget(): void {
    this.verifier.forget();
  }

  /** Resolves when all uses so far are noted. */
  settled(): Promise<void> {
    return this.uses.settled();
  }

  /** Makes the stored keys of the configuration what the configuration says; see {@link provisionKeys}. */
  async provision(keys: ConfiguredKeys): Promise<void> {
    await provisionKeys(this.database, keys);
    this.forget();
  }

  private async find(hash: Buffer) {
    type Row = { id: string; name: string; scopes: Scope[]; hash: Buffer };
    const [row] = await this.database.query<Row>(findByHash, [hash]);
    return row && { hash: row.hash, caller: { kind: 'key' as const, id: row.id, name: row.name, scopes: row.scopes } };
  }
}
