import { expect, test } from '@jest/globals';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inBash } from './bash.js';

const SECRET = 'an example of a secret, long enough';

function withKey(line: string, secret = SECRET): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyrie-keys-'));
  try {
    const file = join(folder, 'backup_key');
    writeFileSync(file, secret);
    return inBash(['keys'], line, { env: { BACKUP_KEY_FILE: file } }).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function derived(purpose: string): Buffer {
  const key = createHash('sha256').update(SECRET).digest();
  return createHmac('sha256', key).update(`eyrie backup: ${purpose}`).digest();
}

test('P1: a key for a purpose is HMAC-SHA-256 under the secret', () => {
  expect(withKey('derive_key manifest')).toBe(derived('manifest').toString('hex'));
  expect(withKey('key_id')).toBe(derived('key id').toString('hex').slice(0, 16));
});

test('P1: HMAC takes any bytes and any length', () => {
  const key = createHash('sha256').update('key').digest('hex');
  for (const input of ['', 'short', 'x'.repeat(64), 'ü\u0001\n'.repeat(5000)]) {
    const expected = createHmac('sha256', Buffer.from(key, 'hex')).update(input).digest('hex');
    expect(inBash(['keys'], `hmac ${key}`, { input }).trim()).toBe(expected);
  }
});

test("P1: the key of the dumps is an identity in age's own form", () => {
  // BIP 173: https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
  const identity = withKey('age_identity');
  expect(identity).toMatch(/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
  const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  const data = [...identity.slice(16).toLowerCase()].map((letter) => alphabet.indexOf(letter));
  const bits = data
    .slice(0, -6)
    .map((value) => value.toString(2).padStart(5, '0'))
    .join('');
  const bytes = bits
    .slice(0, 256)
    .match(/.{8}/g)!
    .map((byte) => Number.parseInt(byte, 2));
  expect(Buffer.from(bytes).toString('hex')).toBe(derived('age').toString('hex'));
  const prefix = [...'age-secret-key-'].map((letter) => letter.charCodeAt(0));
  expect(polymod([...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data])).toBe(1);
});

test('P1: a secret that is missing or short is refused', () => {
  expect(() => withKey('derive_key age', 'short')).toThrow(/shorter than 32 characters/);
  expect(() => inBash(['keys'], 'derive_key age', { env: { BACKUP_KEY_FILE: '/nonexistent' } })).toThrow(
    /cannot be read/,
  );
});

function polymod(values: readonly number[]): number {
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((sum, value) => {
    const shifted = ((sum & 0x1ffffff) << 5) ^ value;
    return generator.reduce((next, term, bit) => ((sum >> (25 + bit)) & 1 ? next ^ term : next), shifted);
  }, 1);
}
