import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How the integrations of receivers fare, and the notifications that tried them out. */
export class ReceiverHealth1700000000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // A small table that is written often: the pages have room left, and nothing that changes is in an index.
    await runner.query(`CREATE TABLE receiver_health (
      integration text PRIMARY KEY,
      last_success_at timestamptz,
      last_error_at timestamptz,
      last_error text,
      failures integer NOT NULL DEFAULT 0,
      open_until timestamptz,
      openings integer NOT NULL DEFAULT 0,
      probing boolean NOT NULL DEFAULT false,
      next_turn_at timestamptz
    ) WITH (fillfactor = 50)`);
    await runner.query(`CREATE TABLE receiver_tests (
      id uuid NOT NULL,
      integration text NOT NULL,
      expires_at timestamptz NOT NULL,
      outcome text CHECK (outcome IN ('delivered', 'failed')),
      error text,
      duration_ms integer,
      PRIMARY KEY (id, integration)
    )`);
    await runner.query(`CREATE INDEX receiver_tests_expired ON receiver_tests (expires_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE receiver_tests, receiver_health`);
  }
}
