import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, their sessions and what they did to get in; and the scope `respond`. */
export class People1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE auth_events, login_attempts, session_tokens, sessions, users');
    // A key whose only scope is the new one cannot be told in the old terms.
    await runner.query(`DELETE FROM api_keys WHERE scopes = ARRAY['respond']`);
    await runner.query(`UPDATE api_keys SET scopes = array_remove(scopes, 'respond')`);
    await runner.query(scopesAre("'ingest', 'read', 'manage'"));
  }
}

const scopesAre = (scopes: string) =>
  `ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check,
     ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[${scopes}] AND cardinality(scopes) > 0)`;

const statements = [
  scopesAre("'ingest', 'read', 'respond', 'manage'"),

  // password_changed_at tells whether a password that was right a moment ago still is.
  `CREATE TABLE users (
     id uuid PRIMARY KEY DEFAULT uuidv7(),
     email text NOT NULL CHECK (email <> ''),
     name text NOT NULL CHECK (name <> ''),
     role text NOT NULL CHECK (role IN ('viewer', 'responder', 'admin')),
     password_hash text NOT NULL,
     password_changed_at timestamptz NOT NULL DEFAULT now(),
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     disabled_at timestamptz
   )`,
  `CREATE UNIQUE INDEX users_email ON users (lower(email))`,

  `CREATE TABLE sessions (
     id uuid PRIMARY KEY DEFAULT uuidv7(),
     user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
     address text NOT NULL,
     network text NOT NULL,
     user_agent text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     last_used_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz NOT NULL,
     previous_hash bytea,
     rotated_at timestamptz,
     ended_at timestamptz,
     end_reason text CHECK ((end_reason IS NULL) = (ended_at IS NULL))
   )`,
  `CREATE INDEX sessions_by_user ON sessions (user_id, id)`,

  // Spent refresh tokens stay until they would have expired: one that comes back has been copied.
  `CREATE TABLE session_tokens (
     hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
     session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
     kind text NOT NULL CHECK (kind IN ('access', 'refresh')),
     expires_at timestamptz NOT NULL,
     spent_at timestamptz
   )`,
  `CREATE INDEX session_tokens_by_session ON session_tokens (session_id)`,
  `CREATE INDEX session_tokens_by_expiry ON session_tokens (expires_at)`,

  // Accounts as hashes: what people type in the wrong field is often their password.
  `CREATE TABLE login_attempts (
     kind text NOT NULL,
     account bytea NOT NULL,
     network text NOT NULL,
     failures int NOT NULL,
     last_at timestamptz NOT NULL,
     blocked_until timestamptz NOT NULL,
     PRIMARY KEY (account, kind, network)
   )`,

  // Without a foreign key: the record outlives whom it is about.
  `CREATE TABLE auth_events (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     at timestamptz NOT NULL DEFAULT now(),
     type text NOT NULL,
     actor text NOT NULL,
     subject text,
     address text,
     user_agent text,
     data jsonb
   )`,
  `CREATE INDEX auth_events_by_time ON auth_events (at)`,
];
