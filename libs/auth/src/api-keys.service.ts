import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { type ApiKey, type Caller, generateKey, hashKey, isScope, scopes, shownPrefix } from './api-key.js';
import { ApiKeyError } from './api-key-error.js';
import { type ConfiguredKeys, configuredNames, provisionKeys } from './configured-keys.js';
import { KeyUses } from './key-uses.js';
import { VerifiedKeys } from './verified-keys.js';

/** Longer texts are no keys of ours; they are not even hashed. */
const longestKey = 512;

/** The columns of {@link ApiKey}. */
const columns = `id, name, prefix, scopes, source, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

const findByHash = {
  name: 'api-key-by-hash',
  text: 'SELECT id, name, scopes, hash FROM api_keys WHERE hash = $1 AND revoked_at IS NULL',
};

/** API keys for machines: shown once, stored as hashes, with scopes, revocable. */
@Injectable()
export class ApiKeysService {
  private readonly verified = new VerifiedKeys();
  private readonly uses: KeyUses;
  /** Look-ups that are under way, so that many requests with one key make one. */
  private readonly lookups = new Map<string, Promise<Caller | undefined>>();

  constructor(private readonly database: Database) {
    this.uses = new KeyUses(database);
  }

  /**
   * Makes a key. This is the only time that it is told.
   * @throws ApiKeyError if the name is empty or taken, or the scopes are none or unknown
   */
  async create(name: string, wanted: readonly string[]): Promise<ApiKey & { key: string }> {
    const granted = [...new Set(wanted)];
    const unknown = granted.filter((scope) => !isScope(scope));
    if (unknown.length > 0)
      throw new ApiKeyError(`no such scope: ${unknown.join(', ')}; there are ${scopes.join(', ')}`);
    if (granted.length === 0) throw new ApiKeyError(`a key needs a scope: ${scopes.join(', ')}`);
    if (!/^[\w.@/-]([\w.@/ -]{0,98}[\w.@/-])?$/.test(name)) {
      throw new ApiKeyError('a name has 1 to 100 letters, digits, blanks or . _ - @ /, with no blank at its ends');
    }
    if (configuredNames.includes(name)) throw new ApiKeyError(`the name ${name} is that of a setting`);
    const key = generateKey();
    const [created] = await this.database.query<ApiKey>(
      `INSERT INTO api_keys (name, hash, prefix, scopes, source) VALUES ($1, $2, $3, $4, 'created')
       ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING ${columns}`,
      [name, hashKey(key), shownPrefix(key), granted],
    );
    if (!created) throw new ApiKeyError(`there is a key named ${name} already`);
    return { ...created, key };
  }

  /** All keys, revoked ones too, the newest first. */
  list(): Promise<ApiKey[]> {
    return this.database.query<ApiKey>(`SELECT ${columns} FROM api_keys ORDER BY id DESC`);
  }

  /**
   * Revokes the key with this name or id. Here it stops working at once, in other processes within 10 seconds.
   * @throws ApiKeyError if there is none, or if it comes from the configuration and would come back from there
   */
  async revoke(nameOrId: string): Promise<ApiKey> {
    const [key] = await this.database.query<ApiKey>(
      `SELECT ${columns} FROM api_keys WHERE (name = $1 OR id::text = $1) AND revoked_at IS NULL
       ORDER BY id::text = $1 DESC LIMIT 1`,
      [nameOrId],
    );
    if (!key) throw new ApiKeyError(`there is no key ${nameOrId} to revoke`);
    if (key.source === 'configuration') throw new ApiKeyError(`${key.name} is a setting; remove or change it there`);
    const [revoked] = await this.database.query<ApiKey>(
      `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING ${columns}`,
      [key.id],
    );
    this.verified.clear();
    return revoked ?? key;
  }

  /**
   * Whose key this is; `undefined` if it is nobody's. Answers are remembered for 10 seconds (2 if nobody's).
   * @throws DatabaseUnavailableError when the database is gone and no answer is remembered
   */
  async verify(key: string): Promise<Caller | undefined> {
    if (key.length > longestKey) return undefined;
    const hash = hashKey(key);
    const name = hash.toString('base64');
    const remembered = this.verified.get(name);
    const caller = remembered ? remembered.caller : await this.lookUp(name, hash);
    if (caller) this.uses.note(caller.id);
    return caller;
  }

  /** Resolves when all uses so far are noted. */
  settled(): Promise<void> {
    return this.uses.settled();
  }

  /** Makes the stored keys of the configuration what the configuration says; see {@link provisionKeys}. */
  async provision(keys: ConfiguredKeys): Promise<void> {
    await provisionKeys(this.database, keys);
    this.verified.clear();
  }

  private lookUp(name: string, hash: Buffer): Promise<Caller | undefined> {
    const underway = this.lookups.get(name);
    if (underway) return underway;
    const lookup = this.ask(name, hash).finally(() => this.lookups.delete(name));
    this.lookups.set(name, lookup);
    return lookup;
  }

  private async ask(name: string, hash: Buffer): Promise<Caller | undefined> {
    const askedAt = Date.now();
    const rows = await this.database.query<Caller & { hash: Buffer }>(findByHash, [hash]);
    // The index has compared already, byte by byte; how long that took tells about the hash, which nobody can choose.
    const row = rows.find((each) => timingSafeEqual(each.hash, hash));
    const caller = row && { id: row.id, name: row.name, scopes: row.scopes };
    this.verified.set(name, caller, askedAt);
    return caller;
  }
}
