import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { formatEncrypted, KEY_ID, parseEncrypted } from './encrypted-value.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits, random; one key is good for 2^32 values. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A value cannot be decrypted. The message says why, never what it is. */
export class UndecryptableError extends Error {
  override readonly name = 'UndecryptableError';
}

/**
 * The keys under which secrets lie at rest: the first encrypts, all decrypt, so that a key can be replaced while values
 * are still encrypted with it. What is encrypted for one purpose cannot be passed off as a value of another.
 *
 * @example
 * const keys = EncryptionKeys.parse(`2026:${randomBytes(32).toString('base64')}`);
 * keys.decrypt(keys.encrypt('hunter2', 'receivers'), 'receivers'); // hunter2
 */
export class EncryptionKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  private constructor(keys: ReadonlyMap<string, KeyObject>) {
    this.#keys = keys;
  }

  /** Reads `id:base64[,id:base64…]`. @throws Error that says what is wrong with which key, without the key */
  static parse(text: string): EncryptionKeys {
    const keys = new Map<string, KeyObject>();
    const parts = text.split(',').map((part) => part.trim());
    for (const [index, part] of parts.entries()) {
      const [id = '', key, ...rest] = part.split(':');
      if (key === undefined || rest.length > 0 || !KEY_ID.test(id)) {
        throw new Error(`key ${index + 1} is not of the form id:base64, with an id of letters, digits, _ and -`);
      }
      if (keys.has(id)) throw new Error(`two keys have the id ${id}`);
      keys.set(id, keyOf(id, key));
    }
    return new EncryptionKeys(keys);
  }

  /** A new key, as {@link parse} reads it. */
  static generate(id: string): string {
    if (!KEY_ID.test(id)) throw new Error('the id of a key has 1 to 32 letters, digits, _ and -');
    return `${id}:${randomBytes(KEY_BYTES).toString('base64')}`;
  }

  /** The first one encrypts. */
  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** `enc:v1:<id>:<data>`, each time another. */
  encrypt(value: string, purpose: string): string {
    const [keyId, key] = [...this.#keys][0]!;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associatedData(keyId, purpose));
    const data = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return formatEncrypted({ keyId, data });
  }

  /** @throws UndecryptableError */
  decrypt(encrypted: string, purpose: string): string {
    const parsed = parseEncrypted(encrypted);
    if (!parsed) throw new UndecryptableError('is not a whole encrypted value: enc:v1:<key id>:<data>');
    const { keyId, data } = parsed;
    const key = this.#keys.get(keyId);
    if (!key) throw new UndecryptableError(`is encrypted with the key "${keyId}", which ENCRYPTION_KEYS does not have`);
    try {
      if (data.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short');
      const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(associatedData(keyId, purpose))
        .setAuthTag(data.subarray(-TAG_BYTES));
      const value = decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([value, decipher.final()]).toString('utf8');
    } catch {
      throw new UndecryptableError(
        `cannot be decrypted: it was altered, or encrypted with another key than the "${keyId}" of ENCRYPTION_KEYS`,
      );
    }
  }
}

function keyOf(id: string, text: string): KeyObject {
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);
  if (!isBase64 || bytes.length !== KEY_BYTES) throw new Error(`the key ${id} is not ${KEY_BYTES} bytes of base64`);
  return createSecretKey(bytes);
}

function associatedData(keyId: string, purpose: string): Buffer {
  return Buffer.from(`eyrie:v1:${keyId}:${purpose}`);
}
