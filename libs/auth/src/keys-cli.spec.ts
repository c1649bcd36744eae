import { describe, expect, it } from '@jest/globals';
import type { ApiKey } from './api-key.js';
import { ApiKeyError } from './api-key-error.js';
import { keysCli } from './keys-cli.js';

const apiKey: ApiKey = {
  id: '0198c1a2-0000-7000-8000-000000000001',
  name: 'prometheus',
  prefix: 'eyr_abcdef',
  scopes: ['ingest', 'read'],
  source: 'created',
  createdAt: new Date('2026-11-22T16:00:00Z'),
  lastUsedAt: null,
  revokedAt: null,
};

/** Runs a command against one key, and gives what it said and did. */
async function run(line: string) {
  const said = { stdout: '', stderr: '' };
  const calls: unknown[] = [];
  const status = await keysCli(
    {
      create: (...args) => (calls.push(args), Promise.resolve({ ...apiKey, key: 'eyr_abcdef-the-whole-key' })),
      list: () => Promise.resolve([apiKey, { ...apiKey, name: 'OPERATOR_KEY', prefix: '', source: 'configuration' }]),
      revoke: (name) =>
        name === 'prometheus' ? Promise.resolve(apiKey) : Promise.reject(new ApiKeyError('missing', `no ${name}`)),
    },
    line.split(' ').filter(Boolean),
    {
      stdout: { write: (text) => (said.stdout += text) },
      stderr: { write: (text) => (said.stderr += text) },
    },
  );
  return { status, calls, ...said };
}

describe('npm run keys', () => {
  it('I2: create shows the key once', async () => {
    const { status, stdout, calls } = await run('create prometheus --scope ingest,read --scope manage');
    expect([status, calls]).toEqual([0, [['prometheus', ['ingest', 'read', 'manage']]]]);
    expect(stdout).toMatch(/^eyr_abcdef-the-whole-key\n/);
    expect(stdout).toContain('will not be shown again');
  });

  it('I2: list shows all but the keys', async () => {
    expect((await run('list')).stdout).toBe(
      [
        'NAME          KEY          SCOPES       SOURCE         CREATED           LAST USED  REVOKED',
        'prometheus    eyr_abcdef…  ingest,read  created        2026-11-22 16:00  -          -',
        'OPERATOR_KEY  -            ingest,read  configuration  2026-11-22 16:00  -          -',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('list --json')).stdout)).toHaveLength(2);
  });

  it('I2: revoke says what it did, or why it could not', async () => {
    expect(await run('revoke prometheus')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Revoked "prometheus"') as unknown,
    });
    expect(await run('revoke nobody')).toMatchObject({ status: 1, stdout: '', stderr: 'no nobody\n' });
  });

  it.each([
    '',
    'destroy',
    'create',
    'revoke',
    'list all',
    'revoke a b',
    'create a --scopes ingest',
    'list --scope read',
    'revoke a --json',
  ])('O4: %j is answered with the usage and status 64', async (line) => {
    const { status, stdout, stderr } = await run(line);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toContain('Usage:');
  });

  it('O4: --help is no fault', async () => {
    expect(await run('create --help')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('Usage:') as unknown,
    });
  });
});
