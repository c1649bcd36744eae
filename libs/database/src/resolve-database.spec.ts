import { describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from 'eyrie/config';
import { databaseSettings } from './database.config.js';
import { resolveDatabase } from './resolve-database.js';

const load = (env: Record<string, string>) =>
  loadSettings({ database: databaseSettings }, { env, cwd: '/nonexistent' }).database;

describe('resolveDatabase', () => {
  it('takes the database of the settings, and leaves it alone at the end', async () => {
    const settings = load({ DATABASE_URL: 'postgresql://me:hush@db/hub' });
    const { url, embedded, release } = await resolveDatabase(settings);
    expect({ url, embedded }).toEqual({ url: 'postgresql://me:hush@db/hub', embedded: false });
    await release();
  });
});

describe('the settings of the database', () => {
  it('A2: have defaults for everything in development', () => {
    expect(load({})).toEqual({
      url: undefined,
      poolMax: 10,
      connectTimeoutMs: 5_000,
      startupTimeoutMs: 60_000,
      statementTimeoutMs: 30_000,
      embeddedDirectory: '.eyrie/postgres',
    });
  });

  it('A4: want a DATABASE_URL in production', () => {
    expect(() => load({ ENVIRONMENT: 'production' })).toThrow(SettingsError);
    expect(() => load({ ENVIRONMENT: 'production' })).toThrow(
      /DATABASE_URL.*production does not use the embedded one/s,
    );
    const url = 'postgresql://eyrie:Rq7vX2mLw9sKc4Tn8bZe@db/eyrie';
    expect(load({ ENVIRONMENT: 'production', DATABASE_URL: url }).url).toBe(url);
  });

  it('A2: refuse a URL of another protocol', () => {
    expect(() => load({ DATABASE_URL: 'mysql://db/hub' })).toThrow(/DATABASE_URL/);
  });
});
