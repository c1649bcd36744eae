import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alerts as episodes, their events, the groups that are told of them, and what was told. */
export class Alerts1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE notification_attempts, notifications, notification_log, inhibitors, group_alerts,
      alert_groups, alert_events, alerts, alerts_config`);
  }
}

const statements = [
  // One row an episode. The latest of each fingerprint is `current`. What a re-sent alert changes is in no index, and
  // the pages have room left, so that its update stays within the page.
  `CREATE TABLE alerts (
     id uuid PRIMARY KEY DEFAULT uuidv7(),
     fingerprint bigint NOT NULL,
     content bigint NOT NULL,
     name text NOT NULL,
     severity text NOT NULL,
     labels jsonb NOT NULL,
     annotations jsonb NOT NULL,
     generator_url text NOT NULL,
     state text NOT NULL CHECK (state IN ('firing', 'resolved')),
     current boolean NOT NULL DEFAULT true,
     timeout boolean NOT NULL,
     occurrences bigint NOT NULL DEFAULT 1,
     starts_at timestamptz NOT NULL,
     ends_at timestamptz NOT NULL,
     received_at timestamptz NOT NULL,
     last_seen_at timestamptz NOT NULL
   ) WITH (fillfactor = 75)`,
  `CREATE UNIQUE INDEX alerts_current ON alerts (fingerprint) WHERE current`,
  `CREATE INDEX alerts_firing ON alerts (id) WHERE state = 'firing'`,
  `CREATE INDEX alerts_by_name ON alerts (name, id)`,

  `CREATE TABLE alert_events (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     alert_id uuid NOT NULL,
     type text NOT NULL,
     at timestamptz NOT NULL,
     actor text NOT NULL,
     data jsonb
   )`,
  `CREATE INDEX alert_events_by_alert ON alert_events (alert_id, id)`,

  // The timer of a group is its column next_flush_at: no second copy, and due at once again when a worker dies.
  `CREATE TABLE alert_groups (
     id uuid PRIMARY KEY,
     key text NOT NULL,
     route text NOT NULL,
     labels jsonb NOT NULL,
     next_flush_at timestamptz NOT NULL,
     flushed_at timestamptz
   ) WITH (fillfactor = 75)`,
  `CREATE INDEX alert_groups_due ON alert_groups (next_flush_at)`,
  `CREATE TABLE group_alerts (
     group_id uuid NOT NULL,
     alert_id uuid NOT NULL,
     PRIMARY KEY (group_id, alert_id)
   )`,
  `CREATE INDEX group_alerts_by_alert ON group_alerts (alert_id)`,

  // Firing alerts that are the source of an inhibit rule, by rule and values of its "equal" labels.
  `CREATE TABLE inhibitors (
     key uuid NOT NULL,
     alert_id uuid NOT NULL,
     two_sided boolean NOT NULL,
     PRIMARY KEY (key, alert_id)
   )`,
  `CREATE INDEX inhibitors_by_alert ON inhibitors (alert_id)`,

  // What each integration of a group was last told: Alertmanager's notification log.
  `CREATE TABLE notification_log (
     group_id uuid NOT NULL,
     integration text NOT NULL,
     firing bigint[] NOT NULL,
     resolved bigint[] NOT NULL,
     notified_at timestamptz NOT NULL,
     outstanding integer NOT NULL,
     PRIMARY KEY (group_id, integration)
   ) WITH (fillfactor = 75)`,
  // The id is the idempotency key. "waiting" is behind an earlier one of the same group and integration.
  `CREATE TABLE notifications (
     id uuid PRIMARY KEY DEFAULT uuidv7(),
     group_id uuid NOT NULL,
     receiver text NOT NULL,
     integration text NOT NULL,
     state text NOT NULL CHECK (state IN ('waiting', 'pending', 'delivered', 'dead')),
     payload json NOT NULL,
     fingerprints bigint[] NOT NULL,
     attempts integer NOT NULL DEFAULT 0,
     error text,
     created_at timestamptz NOT NULL,
     retry_since timestamptz NOT NULL,
     settled_at timestamptz
   ) WITH (fillfactor = 75)`,
  `CREATE INDEX notifications_by_group ON notifications (group_id, id)`,
  `CREATE INDEX notifications_waiting ON notifications (group_id, integration, id) WHERE state = 'waiting'`,
  `CREATE INDEX notifications_dead ON notifications (id) WHERE state = 'dead'`,
  `CREATE TABLE notification_attempts (
     notification_id uuid NOT NULL,
     number integer NOT NULL,
     at timestamptz NOT NULL,
     duration_ms integer NOT NULL,
     outcome text NOT NULL,
     status_code integer,
     error text,
     PRIMARY KEY (notification_id, number)
   )`,

  // The configuration under which the firing alerts are grouped.
  `CREATE TABLE alerts_config (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     hash text NOT NULL
   )`,
];
