import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Test, type TestingModule } from '@nestjs/testing';
import { Database, DatabaseModule, isDatabaseUnavailable } from 'eyrie/database';
import { Pool } from 'pg';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { ApiKeysService } from './api-keys.service.js';

let test: TestDatabase;
let app: TestingModule;
let database: Database;
let keys: ApiKeysService;

const connect = async () => {
  const limits = { poolMax: 8, connectTimeoutMs: 5_000, startupTimeoutMs: 5_000, statementTimeoutMs: 5_000 };
  return Test.createTestingModule({ imports: [DatabaseModule.forRoot({ url: test.url, ...limits })] }).compile();
};

/** Moves the clock of this process; PostgreSQL keeps its own. */
const later = (ms: number) => {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockReturnValue(now + ms);
};

beforeAll(async () => {
  test = await testDatabase();
  app = await connect();
  database = app.get(Database);
});

beforeEach(async () => {
  jest.restoreAllMocks();
  await database.query('TRUNCATE api_keys');
  keys = new ApiKeysService(database);
});

afterAll(async () => {
  await app?.close();
  await test?.drop();
});

describe('a key', () => {
  it('I2: is shown once and stored as a hash only', async () => {
    const { key, id, name, scopes, prefix } = await keys.create('prometheus', ['ingest', 'read', 'ingest']);
    expect(key).toMatch(/^eyr_[\w-]{43}$/);
    expect({ name, scopes, prefix }).toEqual({
      name: 'prometheus',
      scopes: ['ingest', 'read'],
      prefix: key.slice(0, 10),
    });
    expect(await keys.verify(key)).toEqual({ kind: 'key', id, name, scopes });
    const [row] = await database.query<{ hash: Buffer; text: string }>('SELECT hash, k::text AS text FROM api_keys k');
    expect(row?.hash).toEqual(createHash('sha256').update(key).digest());
    expect(row?.text).not.toContain(key.slice(10));
    expect(JSON.stringify(await keys.list())).not.toContain(key.slice(10));
  });

  it('I2: is recorded with who made it and who revoked it', async () => {
    await database.query('TRUNCATE auth_events');
    const { id } = await keys.create('grafana', ['read'], { name: 'user:ann@example.org' });
    await keys.revoke(id);
    const events = await database.query('SELECT type, actor, subject, data FROM auth_events ORDER BY id');
    expect(events).toEqual([
      ...[
        { type: 'key-created', actor: 'user:ann@example.org', subject: 'grafana', data: { key: id, scopes: ['read'] } },
      ],
      ...[{ type: 'key-revoked', actor: 'terminal', subject: 'grafana', data: { key: id } }],
    ]);
  });

  it('I2: that nobody has is nobody’s, whatever it looks like', async () => {
    await keys.create('prometheus', ['ingest']);
    for (const text of ['', 'eyr_', `eyr_${'A'.repeat(43)}`, '\u0000', 'x'.repeat(1_000_000)]) {
      expect(await keys.verify(text)).toBeUndefined();
    }
  });

  it.each([
    ['no scope', 'a', []],
    ['an unknown scope', 'a', ['ingest', 'root']],
    ['no name', '', ['read']],
    ['a name of another shape', 'a\nb', ['read']],
    ['the name of a setting', 'INGEST_KEY', ['read']],
  ])('I2: cannot have %s', async (_title, name, scopes) => {
    await expect(keys.create(name, scopes)).rejects.toMatchObject({ name: 'ApiKeyError' });
    expect(await keys.list()).toEqual([]);
  });

  it('I2: has a name of its own among those that work', async () => {
    await keys.create('prometheus', ['ingest']);
    await expect(keys.create('prometheus', ['read'])).rejects.toThrow('there is a key named prometheus already');
    await keys.revoke('prometheus');
    await keys.create('prometheus', ['read']);
    expect((await keys.list()).map(({ name, revokedAt }) => [name, revokedAt !== null])).toEqual([
      ['prometheus', false],
      ['prometheus', true],
    ]);
  });
});

describe('revoking', () => {
  it('I2: works by name and by id, at once here and within 10 seconds elsewhere', async () => {
    const elsewhere = new ApiKeysService(database);
    const { key } = await keys.create('one', ['read']);
    const other = await keys.create('other', ['read']);
    for (const service of [keys, elsewhere]) expect(await service.verify(key)).toBeDefined();

    await keys.revoke('one');
    await keys.revoke(other.id);
    expect(await keys.verify(key)).toBeUndefined();
    expect(await keys.verify(other.key)).toBeUndefined();
    expect(await elsewhere.verify(key)).toBeDefined();
    later(10_000);
    expect(await elsewhere.verify(key)).toBeUndefined();
  });

  it('I2: says so when there is nothing to revoke, or when it would come back', async () => {
    await keys.create('one', ['read']);
    await keys.revoke('one');
    await expect(keys.revoke('one')).rejects.toThrow('there is no key one to revoke');
    await keys.provision({ ingestKey: 'configured-ingest-key' });
    await expect(keys.revoke('INGEST_KEY')).rejects.toThrow('INGEST_KEY is a setting');
  });
});

describe('verifying', () => {
  it('I2: asks the database once for many requests, and again after 10 seconds, or 2 for an unknown key', async () => {
    const { key } = await keys.create('one', ['read']);
    const query = jest.spyOn(database, 'query');
    const lookups = () => query.mock.calls.filter(([statement]) => typeof statement === 'object').length;
    await Promise.all(Array.from({ length: 20 }, () => keys.verify(key)));
    for (let index = 0; index < 3; index++) await keys.verify(key);
    expect(lookups()).toBe(1);
    await keys.verify('unknown');
    await keys.verify('unknown');
    expect(lookups()).toBe(2);
    later(2_001);
    await keys.verify('unknown');
    await keys.verify(key);
    expect(lookups()).toBe(3);
    later(8_000);
    await keys.verify(key);
    expect(lookups()).toBe(4);
    await keys.settled();
  });

  it('I2: notes the use of a key beside the request, at most once a minute', async () => {
    const { key } = await keys.create('one', ['read']);
    const used = async () => {
      await keys.settled();
      return (await keys.list())[0]?.lastUsedAt;
    };
    expect(await used()).toBeNull();
    const query = jest.spyOn(database, 'query');
    const updates = () =>
      query.mock.calls.filter(([statement]) => typeof statement === 'string' && statement.startsWith('UPDATE')).length;
    for (let index = 0; index < 3; index++) await keys.verify(key);
    const first = await used();
    expect(first).toBeInstanceOf(Date);
    expect(updates()).toBe(1);

    // A minute later here, but not in PostgreSQL, where another process might have noted it just now.
    later(60_000);
    await keys.verify(key);
    expect(await used()).toEqual(first);
    expect(updates()).toBe(2);
    await database.query(`UPDATE api_keys SET last_used_at = now() - interval '2 minutes'`);
    later(60_000);
    await keys.verify(key);
    expect((await used())?.getTime()).toBeGreaterThanOrEqual(first!.getTime());
  });

  it('I2: does not answer "unknown" while the database is gone, and goes on with what it remembers', async () => {
    const other = await connect();
    const service = new ApiKeysService(other.get(Database));
    const [remembered, unseen] = await Promise.all([service.create('one', ['read']), service.create('two', ['read'])]);
    await service.verify(remembered.key);
    await service.settled();
    await other.get(Pool).end();

    expect(await service.verify(remembered.key)).toMatchObject({ name: 'one' });
    const failure: unknown = await service.verify(unseen.key).catch((error: unknown) => error);
    expect(isDatabaseUnavailable(failure)).toBe(true);
    await service.settled();
  });
});

describe('keys of the configuration', () => {
  const [first, second, third] = ['first-key-of-16+', 'second-key-of-16', 'third-key-of-16+'];
  const working = async () => (await keys.list()).filter(({ revokedAt }) => !revokedAt).map(({ name }) => name);

  it('I2: have the scopes of their settings', async () => {
    await keys.provision({ ingestKey: first, operatorKey: second });
    expect(await keys.verify(first)).toMatchObject({ name: 'INGEST_KEY', scopes: ['ingest'] });
    expect(await keys.verify(second)).toMatchObject({
      name: 'OPERATOR_KEY',
      scopes: ['ingest', 'read', 'respond', 'manage'],
    });
    expect((await keys.list()).every(({ prefix, source }) => prefix === '' && source === 'configuration')).toBe(true);
    await keys.settled();
  });

  it('I2: are stored once, however many processes start at once', async () => {
    const configured = { ingestKey: first, operatorKey: second };
    await Promise.all(Array.from({ length: 6 }, () => new ApiKeysService(database).provision(configured)));
    await keys.provision(configured);
    expect(await keys.list()).toHaveLength(2);
  });

  it('I2: take the place of the old when changed, and are revoked when removed', async () => {
    await keys.provision({ ingestKey: first, operatorKey: second });
    await keys.provision({ ingestKey: third, operatorKey: second });
    expect(await keys.verify(first)).toBeUndefined();
    expect(await keys.verify(third)).toMatchObject({ name: 'INGEST_KEY' });
    await keys.provision({ ingestKey: third });
    expect(await keys.verify(second)).toBeUndefined();
    expect(await working()).toEqual(['INGEST_KEY']);
    await keys.provision({ ingestKey: third, operatorKey: second });
    expect(await keys.verify(second)).toMatchObject({ name: 'OPERATOR_KEY' });
    await keys.settled();
  });

  it('I2: may change places', async () => {
    await keys.provision({ ingestKey: first, operatorKey: second });
    await keys.provision({ ingestKey: second, operatorKey: first });
    expect(await keys.verify(first)).toMatchObject({ name: 'OPERATOR_KEY' });
    expect(await keys.verify(second)).toMatchObject({ name: 'INGEST_KEY' });
    await keys.settled();
  });

  it('I2: leave created keys alone, and may not be one of them', async () => {
    const { key } = await keys.create('one', ['read']);
    await keys.provision({ ingestKey: first });
    await keys.provision({});
    expect(await working()).toEqual(['one']);
    await expect(keys.provision({ ingestKey: key })).rejects.toThrow(
      'INGEST_KEY is the same key as one that was created',
    );
  });
});
