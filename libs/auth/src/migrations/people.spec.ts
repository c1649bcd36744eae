import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { People1763900000000 } from './1763900000000-people.js';

let test: TestDatabase;
let source: DataSource;
beforeAll(async () => {
  test = await testDatabase();
  source = await new DataSource({ type: 'postgres', url: test.url }).initialize();
});
afterAll(async () => {
  await source?.destroy();
  await test?.drop();
});

describe('the migration to people', () => {
  it('I1: can be taken back, and applied again, with keys of the new scope about', async () => {
    await source.query(`
      INSERT INTO api_keys (name, hash, prefix, scopes, source) VALUES
        ('bot', sha256('a'), '', ARRAY['respond'], 'created'), ('both', sha256('b'), '', ARRAY['read', 'respond'], 'created')`);
    const migration = new People1763900000000();
    const runner = source.createQueryRunner();
    await migration.down(runner);
    expect(await runner.query('SELECT name, scopes FROM api_keys')).toEqual([{ name: 'both', scopes: ['read'] }]);
    await migration.up(runner);
    expect(await runner.query('SELECT count(*)::int AS users FROM users')).toEqual([{ users: 0 }]);
    await runner.release();
  });
});
