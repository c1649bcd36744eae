import { type Statement } from 'eyrie/database';

/** The SQL of heartbeats. Times are seconds since 1970, spans milliseconds. */
const statement = (name: string, text: string): Statement => ({ name: `heartbeats:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;
const allowance = (row = 'heartbeats') => `(${row}.period_ms + ${row}.grace_ms) * interval '1 millisecond'`;

/** What processes are told when the matchers of a heartbeat change. */
export const HEARTBEATS_CHANGED = 'eyrie_heartbeats';

export const HEARTBEAT_COLUMNS = `name, period_ms::float8 AS period_ms, grace_ms::float8 AS grace_ms, severity, labels, message, matchers, declared, removed,
  alert, extract(epoch FROM created_at)::float8 AS created_at, extract(epoch FROM last_beat_at)::float8 AS last_beat_at,
  extract(epoch FROM counts_from)::float8 AS counts_from, extract(epoch FROM missing_since)::float8 AS missing_since`;

export const LOCK = statement('lock', `SELECT ${HEARTBEAT_COLUMNS} FROM heartbeats WHERE name = $1 FOR UPDATE`);

export const COUNT = statement('count', `SELECT count(*)::int AS count FROM heartbeats`);

/** A declaration that says something new begins anew; an alert that was raised for the old one ends at once. $10: now. */
export const DECLARE = statement(
  'declare',
  `INSERT INTO heartbeats (name, period_ms, grace_ms, severity, labels, message, matchers, declared, last_beat_at,
     created_at, counts_from, next_at)
   VALUES ($1, $2::bigint, $3::bigint, $4, $5, $6, $7, $8, ${seconds('$9')}, ${seconds('$10')}, ${seconds('$10')},
     ${seconds('$10')} + ($2::bigint + $3::bigint) * interval '1 millisecond')
   ON CONFLICT (name) DO UPDATE SET
     period_ms = excluded.period_ms, grace_ms = excluded.grace_ms, severity = excluded.severity,
     labels = excluded.labels, message = excluded.message, matchers = excluded.matchers, declared = excluded.declared,
     removed = false, counts_from = excluded.counts_from,
     last_beat_at = CASE WHEN heartbeats.removed THEN excluded.last_beat_at
                         ELSE coalesce(excluded.last_beat_at, heartbeats.last_beat_at) END,
     created_at = CASE WHEN heartbeats.removed THEN excluded.created_at ELSE heartbeats.created_at END,
     next_at = CASE WHEN heartbeats.alert IS NULL THEN excluded.next_at ELSE ${seconds('$10')} END`,
);

/** A beat; where an alert was raised its end is due at once. Answers the names that are known. $2: now. */
export const BEAT = statement(
  'beat',
  `UPDATE heartbeats SET last_beat_at = greatest(last_beat_at, ${seconds('$2')}),
     counts_from = greatest(counts_from, ${seconds('$2')}),
     next_at = CASE WHEN alert IS NULL THEN greatest(counts_from, ${seconds('$2')}) + ${allowance()} ELSE ${seconds('$2')} END
   WHERE name = ANY($1::text[]) AND NOT removed
   RETURNING name, declared, period_ms::float8 AS period_ms, grace_ms::float8 AS grace_ms`,
);

/** What the alert ends with is known to the row alone: it stays until the worker has ended it. $2: now. */
export const REMOVE = statement(
  'remove',
  `UPDATE heartbeats SET removed = true, next_at = ${seconds('$2')} WHERE name = $1`,
);

export const DELETE = statement('delete', `DELETE FROM heartbeats WHERE name = ANY($1::text[])`);

export const CHANGED = statement('changed', `SELECT pg_notify('${HEARTBEATS_CHANGED}', '')`);

export const WITH_MATCHERS = statement(
  'with-matchers',
  `SELECT name, matchers FROM heartbeats WHERE matchers <> '{}' AND NOT removed ORDER BY name`,
);

/** Heartbeats whose time has passed and that have no alert yet. */
export const OVERDUE = statement(
  'overdue',
  `SELECT ${HEARTBEAT_COLUMNS} FROM heartbeats WHERE next_at <= ${seconds('$1')} AND alert IS NULL AND NOT removed
   ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
);

/** Written before the alert is raised, so that nobody forgets to end it. Its start is the deadline. */
export const MISS = statement(
  'miss',
  `UPDATE heartbeats SET alert = missed.alert, missing_since = counts_from + ${allowance()}
   FROM unnest($1::text[], $2::jsonb[]) AS missed(name, alert) WHERE heartbeats.name = missed.name`,
);

/** Heartbeats whose alert is to be raised, said again or ended. */
export const DUE = statement(
  'due',
  `SELECT ${HEARTBEAT_COLUMNS}, removed OR counts_from + ${allowance()} > ${seconds('$1')} AS beats
   FROM heartbeats WHERE next_at <= ${seconds('$1')} AND alert IS NOT NULL
   ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
);

export const RAISED = statement(
  'raised',
  `UPDATE heartbeats SET next_at = ${seconds('$2')} WHERE name = ANY($1::text[])`,
);

export const RETURNED = statement(
  'returned',
  `UPDATE heartbeats SET alert = NULL, missing_since = NULL, next_at = counts_from + ${allowance()}
   WHERE name = ANY($1::text[])`,
);

export const NEXT_DUE = statement('next-due', `SELECT extract(epoch FROM min(next_at))::float8 AS due FROM heartbeats`);
