import { type Statement } from 'eyrie/database';

/** The SQL of escalations. Each costs a fixed number of statements, however many alerts it is about. */
const statement = (name: string, text: string): Statement => ({ name: `escalation:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

/** Any number that nobody else uses for advisory locks in this database. */
const SWEEP_LOCK = 1_163_088_716;

/** Of several workers one sweeps. */
export const TRY_SWEEP = statement('try-sweep', `SELECT pg_try_advisory_xact_lock(${SWEEP_LOCK}) AS mine`);

/**
 * Firing alerts that nobody has looked at under the configuration $2, and since when somebody should care. $1: now; $3:
 * how many.
 */
export const UNSEEN = statement(
  'unseen',
  `SELECT alert.id, alert.labels, extract(epoch FROM coalesce(
     (SELECT max(at) FROM alert_events
      WHERE alert_id = alert.id AND type IN ('fired', 'reopened', 'unacknowledged')), alert.received_at))::float8 AS since
   FROM alerts alert LEFT JOIN escalations ON escalations.alert_id = alert.id
   WHERE alert.state = 'firing' AND alert.ends_at > ${seconds('$1')}
     AND (escalations.alert_id IS NULL OR (escalations.name IS NULL AND escalations.config <> $2))
   ORDER BY alert.id LIMIT $3`,
);

/** Without a name: it was looked at. $5: of the configuration. */
export const ENROL = statement(
  'enrol',
  `INSERT INTO escalations (alert_id, name, config, began_at, next_at)
   SELECT alert_id, name, $5, ${seconds('began_at')}, ${seconds('next_at')}
   FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::float8[]) AS wanted(alert_id, name, began_at, next_at)
   ON CONFLICT (alert_id) DO UPDATE SET name = excluded.name, config = excluded.config, step = 0,
     began_at = excluded.began_at, next_at = excluded.next_at, held_since = NULL, held_by = NULL
   WHERE escalations.name IS NULL`,
);

/** Escalations whose alerts are over, with those that were told. $1: now; $2: how many. */
export const ENDED = statement(
  'ended',
  `SELECT escalations.alert_id, escalations.name, escalations.told
   FROM escalations LEFT JOIN alerts alert ON alert.id = escalations.alert_id
   WHERE alert.id IS NULL OR alert.state = 'resolved' OR alert.ends_at <= ${seconds('$1')}
   ORDER BY escalations.alert_id LIMIT $2 FOR UPDATE OF escalations SKIP LOCKED`,
);

export const FORGET = statement('forget', `DELETE FROM escalations WHERE alert_id = ANY($1::uuid[])`);

/** Escalations whose time has come and that no other worker has in hand. */
export const CLAIM_DUE = statement(
  'claim-due',
  `SELECT alert_id, name, step, told, held_by, extract(epoch FROM began_at)::float8 AS began_at,
     extract(epoch FROM next_at)::float8 AS next_at, extract(epoch FROM held_since)::float8 AS held_since
   FROM escalations WHERE next_at <= ${seconds('$1')} ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
);

/** A statement of its own, after the claim: it sees what was acknowledged before the claim was had. */
export const ALERTS = statement(
  'alerts',
  `SELECT alert.id AS group_id, alert.id, alert.fingerprint::text, alert.state, alert.current, alert.labels,
     alert.annotations, alert.generator_url, alert.origin, extract(epoch FROM alert.starts_at)::float8 AS starts_at,
     extract(epoch FROM alert.ends_at)::float8 AS ends_at, alert.acknowledged_at IS NOT NULL AS acknowledged,
     extract(epoch FROM snooze.until)::float8 AS snoozed_until
   FROM alerts alert LEFT JOIN alert_snoozes snooze
     ON snooze.fingerprint = alert.fingerprint AND snooze.until > ${seconds('$2')}
   WHERE alert.id = ANY($1::uuid[])`,
);

export const ADVANCE = statement(
  'advance',
  `UPDATE escalations SET name = went.name, config = $9, step = went.step, began_at = ${seconds('went.began_at')},
     next_at = ${seconds('went.next_at')}, held_since = ${seconds('went.held_since')}, held_by = went.held_by,
     told = ARRAY(SELECT json_array_elements_text(went.told))
   FROM unnest($1::uuid[], $2::text[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::text[], $8::json[])
     AS went(alert_id, name, step, began_at, next_at, held_since, held_by, told)
   WHERE escalations.alert_id = went.alert_id`,
);

export const NEXT_DUE = statement(
  'next-due',
  `SELECT extract(epoch FROM min(next_at))::float8 AS due FROM escalations WHERE next_at IS NOT NULL`,
);
