import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase } from '../../../test/harness/postgres.js';
import { connection, type Connection } from '../fixtures/connection.js';
import { Housekeeping } from './housekeeping.js';

let test: Connection;
beforeAll(async () => (test = await connection(await testDatabase())));
afterAll(() => test?.close());

describe('housekeeping', () => {
  it('I1: removes what is over, and nothing else', async () => {
    const { database } = test;
    const ago = (days: number) => `now() - interval '${days} days'`;
    await database.query(`
      INSERT INTO users (email, name, role, password_hash) VALUES ('ann@example.org', 'Ann', 'admin', 'x');
      INSERT INTO sessions (user_id, address, network, user_agent, created_at, expires_at)
        SELECT id, '', '', name, at, until FROM users, (VALUES
          (${ago(91)}, ${ago(61)}), (${ago(91)}, ${ago(-1)}), (${ago(60)}, ${ago(30)})) AS s (at, until);
      INSERT INTO session_tokens (hash, session_id, kind, expires_at, spent_at)
        SELECT sha256(n::text::bytea), id, 'refresh', until, now() FROM (SELECT id FROM sessions WHERE expires_at > now()) s,
          (VALUES (1, ${ago(2)}), (2, ${ago(-1)})) AS t (n, until);
      INSERT INTO login_attempts SELECT 'pair', sha256(n::text::bytea), '', 1, at, at + interval '10 minutes' FROM
        (VALUES (1, ${ago(1)}), (2, now())) AS a (n, at);
      INSERT INTO auth_events (type, actor, at) SELECT 'login', 'x', ${ago(31)} FROM generate_series(1, 6000);
      INSERT INTO auth_events (type, actor, at) VALUES ('login', 'x', ${ago(29)})`);
    await new Housekeeping(database, { authEventsKeptMs: 30 * 86_400_000 }).run();
    const [counts] = await database.query(`
      SELECT (SELECT count(*)::int FROM sessions) AS sessions, (SELECT count(*)::int FROM session_tokens) AS tokens,
        (SELECT count(*)::int FROM login_attempts) AS attempts, (SELECT count(*)::int FROM auth_events) AS events`);
    expect(counts).toEqual({ sessions: 2, tokens: 1, attempts: 1, events: 1 });
  });
});
