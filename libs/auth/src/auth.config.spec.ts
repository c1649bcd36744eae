import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from 'eyrie/config';
import { authSettings } from './auth.config.js';

const load = (env: Record<string, string>) => loadSettings({ auth: authSettings }, { env, cwd: tmpdir() }).auth;

describe('the settings of API keys', () => {
  it('I2: are none, or given, or given as files', async () => {
    expect(load({})).toEqual({ ingestKey: undefined, operatorKey: undefined });
    const directory = await mkdtemp(join(tmpdir(), 'eyrie-auth-'));
    try {
      await writeFile(join(directory, 'key'), 'an-ingest-key-from-a-file\n');
      const given = { INGEST_KEY_FILE: join(directory, 'key'), OPERATOR_KEY: 'an-operator-key' + '-given' };
      expect(load(given)).toEqual({ ingestKey: 'an-ingest-key-from-a-file', operatorKey: 'an-operator-key-given' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    ['short', { INGEST_KEY: 'fifteen-letters' }],
    ['not fit for a header', { INGEST_KEY: 'with a blank within' }],
    [
      'the same, though they grant different things',
      { INGEST_KEY: 'one-key-for-both', OPERATOR_KEY: 'one-key-for-both' },
    ],
  ])('A2: may not be %s', (_title, env) => {
    expect(() => load(env)).toThrow(/(INGEST|OPERATOR)_KEY/);
  });
});
