import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys. A revoked key stays, for the record; its name is free for the next. */
export class ApiKeys1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE api_keys (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        name text NOT NULL CHECK (name <> ''),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        prefix text NOT NULL,
        scopes text[] NOT NULL CHECK (scopes <@ ARRAY['ingest', 'read', 'manage'] AND cardinality(scopes) > 0),
        source text NOT NULL CHECK (source IN ('configuration', 'created')),
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        revoked_at timestamptz
      )`);
    await runner.query('CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL');
    await runner.query('CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash) WHERE revoked_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_keys');
  }
}
