import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from 'eyrie/config';
import { authSettings } from './auth.config.js';

const load = (env: Record<string, string>) => loadSettings({ auth: authSettings }, { env, cwd: tmpdir() }).auth;

const others = {
  ...{ accessTokenTtlMs: 900_000, sessionIdleMs: 604_800_000, sessionMaxAgeMs: 2_592_000_000 },
  ...{ authEventsKeptMs: 31_536_000_000, ingestLimit: undefined, secureCookies: false },
  ...{ apiLimit: { perSecond: 10, burst: 20 }, loginLimit: { perSecond: 1, burst: 5 } },
};

describe('the settings of API keys', () => {
  it('I2: are none, or given, or given as files', async () => {
    expect(load({})).toEqual({ ...others, ingestKey: undefined, operatorKey: undefined });
    const directory = await mkdtemp(join(tmpdir(), 'eyrie-auth-'));
    try {
      await writeFile(join(directory, 'key'), 'an-ingest-key-from-a-file\n');
      const given = { INGEST_KEY_FILE: join(directory, 'key'), OPERATOR_KEY: 'an-operator-key' + '-given' };
      expect(load(given)).toMatchObject({
        ingestKey: 'an-ingest-key-from-a-file',
        operatorKey: 'an-operator-key-given',
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    ['short', { INGEST_KEY: 'fifteen-letters' }],
    ['not fit for a header', { INGEST_KEY: 'with a blank within' }],
    ['like a token of a person', { INGEST_KEY: 'eya_0123456789abcdef' }],
    [
      'the same, though they grant different things',
      { INGEST_KEY: 'one-key-for-both', OPERATOR_KEY: 'one-key-for-both' },
    ],
  ])('A2: may not be %s', (_title, env) => {
    expect(() => load(env)).toThrow(/(INGEST|OPERATOR)_KEY/);
  });
});

describe('the settings of limits', () => {
  it.each([
    ['100/m', { perSecond: 100 / 60, burst: 100 }],
    ['3600/h burst 5', { perSecond: 1, burst: 5 }],
    ['7/s', { perSecond: 7, burst: 7 }],
    ['none', undefined],
  ])('I3: are written as %s', (text, limit) => expect(load({ RATE_LIMIT_API: text }).apiLimit).toEqual(limit));

  it.each(['10', '0/s', '10/d', '10/s burst 0', '10/s burst', '-1/s', '1e3/s'])('A2: may not be %s', (text) => {
    expect(() => load({ RATE_LIMIT_API: text })).toThrow(/RATE_LIMIT_API.*a rate such as/s);
  });

  it('A4: want secure cookies in production', () => {
    expect(() => load({ ENVIRONMENT: 'production', SECURE_COOKIES: 'no' })).toThrow(/SECURE_COOKIES/);
    expect(load({ ENVIRONMENT: 'production' }).secureCookies).toBe(true);
  });

  it('A2: end idle sessions before old ones', () => {
    expect(() => load({ SESSION_IDLE_TIMEOUT: '2d', SESSION_MAX_AGE: '1d' })).toThrow(/SESSION_IDLE_TIMEOUT/);
  });
});
