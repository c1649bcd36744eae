import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSettings, loadSettings } from 'eyrie/config';
import { EncryptionKeys } from './encryption-keys.js';
import { secretsSettings } from './secrets.config.js';

let cwd: string;
beforeAll(async () => void (cwd = await mkdtemp(join(tmpdir(), 'eyrie-secrets-'))));
afterAll(() => rm(cwd, { recursive: true }));

const load = (env: Record<string, string>) => loadSettings({ secrets: secretsSettings }, { env, cwd }).secrets;

describe('the settings of encrypted secrets', () => {
  it('I4: no key is needed', () => {
    expect(load({ ENVIRONMENT: 'production' }).encryptionKeys).toBeUndefined();
  });

  it('A3: keys from the environment, a file of their own, or the folder of secrets', async () => {
    const [one, two] = [EncryptionKeys.generate('one'), EncryptionKeys.generate('two')];
    await writeFile(join(cwd, 'encryption_keys'), `${two},${one}\n`);
    const environment = { ENVIRONMENT: 'production' };
    expect(load({ ...environment, ENCRYPTION_KEYS: one }).encryptionKeys?.ids).toEqual(['one']);
    expect(load({ ...environment, ENCRYPTION_KEYS_FILE: 'encryption_keys' }).encryptionKeys?.ids).toEqual([
      'two',
      'one',
    ]);
    expect(load({ ...environment, SECRETS_DIR: cwd }).encryptionKeys?.ids).toEqual(['two', 'one']);
  });

  it('A2: what is wrong is told, a key never', () => {
    const key = Buffer.alloc(30, 9).toString('base64');
    const env = { ENCRYPTION_KEYS: `short:${key}` };
    expect(() => load(env)).toThrow(/ENCRYPTION_KEYS: .*the key short is not 32 bytes of base64.*\[redacted\]/);
    const shown = JSON.stringify(describeSettings({ secrets: secretsSettings }, { env, cwd }));
    expect(shown).toContain('ENCRYPTION_KEYS');
    expect(shown).not.toContain(key);
  });

  it('A4: production refuses a key of zeros', () => {
    const env = { ENVIRONMENT: 'production', ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}` };
    expect(() => load(env)).toThrow('ENCRYPTION_KEYS');
  });
});
