import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people do about alerts, escalations under way, heartbeats, and the record of who changed what. */
export class PeopleAndHeartbeats1700000000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE heartbeats, escalations, alert_snoozes, audit_log`);
    await runner.query(`DROP TRIGGER alerts_end_acknowledgement ON alerts`);
    await runner.query(`DROP FUNCTION alerts_end_acknowledgement`);
    await runner.query(`ALTER TABLE alerts DROP COLUMN acknowledged_by, DROP COLUMN acknowledged_at`);
  }
}

const statements = [
  `ALTER TABLE alerts ADD COLUMN acknowledged_by text, ADD COLUMN acknowledged_at timestamptz`,
  // An acknowledgement ends with the episode, whoever ends that: a sender, its time, a person. The condition is looked at
  // only by statements that set the state; a re-sent alert does not.
  `CREATE FUNCTION alerts_end_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     NEW.acknowledged_by := NULL;
     NEW.acknowledged_at := NULL;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER alerts_end_acknowledgement BEFORE UPDATE OF state ON alerts FOR EACH ROW
   WHEN (NEW.state = 'resolved' AND NEW.acknowledged_at IS NOT NULL) EXECUTE FUNCTION alerts_end_acknowledgement()`,

  // Of the alert with these labels, in whatever episode.
  `CREATE TABLE alert_snoozes (
     fingerprint bigint PRIMARY KEY,
     until timestamptz NOT NULL
   )`,

  // A row for each firing alert that was looked at; without a name no escalation is meant for it. The timer is next_at.
  `CREATE TABLE escalations (
     alert_id uuid PRIMARY KEY,
     name text,
     config text NOT NULL,
     step integer NOT NULL DEFAULT 0,
     began_at timestamptz NOT NULL,
     next_at timestamptz,
     held_since timestamptz,
     held_by text CHECK (held_by IN ('acknowledgement', 'mute')),
     told text[] NOT NULL DEFAULT '{}'
   ) WITH (fillfactor = 75)`,
  `CREATE INDEX escalations_due ON escalations (next_at) WHERE next_at IS NOT NULL`,

  // The timer is next_at. While "alert" is set, it has been raised or is about to be.
  `CREATE TABLE heartbeats (
     name text PRIMARY KEY,
     period_ms bigint NOT NULL,
     grace_ms bigint NOT NULL,
     severity text NOT NULL,
     labels jsonb NOT NULL,
     message text,
     matchers text[] NOT NULL,
     declared boolean NOT NULL,
     removed boolean NOT NULL DEFAULT false,
     created_at timestamptz NOT NULL,
     counts_from timestamptz NOT NULL,
     last_beat_at timestamptz,
     missing_since timestamptz,
     alert jsonb,
     next_at timestamptz NOT NULL
   ) WITH (fillfactor = 75)`,
  `CREATE INDEX heartbeats_due ON heartbeats (next_at)`,
  `CREATE INDEX heartbeats_with_matchers ON heartbeats (name) WHERE matchers <> '{}'`,

  `CREATE TABLE audit_log (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     at timestamptz NOT NULL,
     actor text NOT NULL,
     address text,
     user_agent text,
     request_id text,
     action text NOT NULL,
     subject text NOT NULL,
     data jsonb
   )`,
  `CREATE INDEX audit_log_by_subject ON audit_log (subject, id)`,
  `CREATE INDEX audit_log_by_actor ON audit_log (actor, id)`,
];
