import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Silences, and who changed them. */
export class Silences1700000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE silence_events, silences, silences_revision`);
  }
}

const statements = [
  // Each matcher is {"name", "operator", "value"}. `revision` is that of the last change.
  `CREATE TABLE silences (
     id uuid PRIMARY KEY DEFAULT uuidv7(),
     matchers jsonb NOT NULL,
     starts_at timestamptz NOT NULL,
     ends_at timestamptz NOT NULL,
     created_by text NOT NULL,
     comment text NOT NULL,
     annotations jsonb NOT NULL,
     updated_at timestamptz NOT NULL,
     revision bigint NOT NULL
   )`,
  `CREATE INDEX silences_by_end ON silences (ends_at)`,
  `CREATE INDEX silences_by_revision ON silences (revision)`,
  // Grows with each change. Its row is locked by whoever changes silences, so that revisions are committed in their order
  // and a reader that knows one has missed nothing before it.
  `CREATE TABLE silences_revision (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     revision bigint NOT NULL
   ) WITH (fillfactor = 50)`,
  `INSERT INTO silences_revision (revision) VALUES (0)`,
  `CREATE TABLE silence_events (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     silence_id uuid NOT NULL,
     type text NOT NULL,
     at timestamptz NOT NULL,
     actor text NOT NULL,
     address text,
     user_agent text,
     request_id text,
     data jsonb NOT NULL
   )`,
  `CREATE INDEX silence_events_by_silence ON silence_events (silence_id, id)`,
];
