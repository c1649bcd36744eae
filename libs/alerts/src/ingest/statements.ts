import { ofAnyLength, type Statement } from 'eyrie/database';

/**
 * The SQL of the way in. Arrays travel as one parameter each: a batch costs a fixed number of statements. Rows are
 * always locked in the same order, alerts by fingerprint and then groups, so that writers never wait in a circle.
 */

/** The channel on which the writers wake the dispatcher. */
export const GROUPS_DUE = 'eyrie_groups_due';

const statement = (name: string, text: string): Statement => ({ name: `alerts:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

/** So few that to look each up in the arrays takes less than to make rows of them, or to plan. */
export const FEW = 16;

/**
 * The re-sent, unchanged alert: one small update, and nothing else. Answers the fingerprints that it was true for. The
 * state is compared as an expression, so that the planner does not read all firing alerts by their index instead: it would
 * where statistics come from a quiet time.
 */
const touch = (found: string, sent: Record<'content' | 'startsAt' | 'endsAt' | 'times', string>) =>
  `UPDATE alerts SET
     occurrences = alerts.occurrences + ${sent.times},
     last_seen_at = ${seconds('$6')},
     ends_at = CASE WHEN alerts.timeout THEN ${seconds(sent.endsAt)}
                    ELSE greatest(alerts.ends_at, ${seconds(sent.endsAt)}) END
   ${found} AND alerts.current AND alerts.state || '' = 'firing' AND alerts.content = ${sent.content}
     AND ${seconds(sent.startsAt)} BETWEEN alerts.starts_at AND alerts.ends_at
   RETURNING alerts.fingerprint`;

const position = 'array_position($1::bigint[], alerts.fingerprint)';

/** At most {@link FEW}, by a plan that is kept. */
export const TOUCH_FEW = statement(
  'touch-few',
  touch(`WHERE alerts.fingerprint = ANY(${ofAnyLength('$1::bigint[]')})`, {
    content: `($2::bigint[])[${position}]`,
    startsAt: `($3::float8[])[${position}]`,
    endsAt: `($4::float8[])[${position}]`,
    times: `($5::int[])[${position}]`,
  }),
);
export const TOUCH = statement(
  'touch',
  touch(
    `FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::int[])
       AS sent(fingerprint, content, starts_at, ends_at, times)
     WHERE alerts.fingerprint = sent.fingerprint`,
    { content: 'sent.content', startsAt: 'sent.starts_at', endsAt: 'sent.ends_at', times: 'sent.times' },
  ),
);

export const LOCK_CURRENT = statement(
  'lock-current',
  `SELECT id, fingerprint, state, timeout, extract(epoch FROM starts_at)::float8 AS starts_at,
     extract(epoch FROM ends_at)::float8 AS ends_at
   FROM alerts WHERE fingerprint = ANY(${ofAnyLength('$1::bigint[]')}) AND current
   ORDER BY fingerprint FOR UPDATE`,
);

/** Ends the reign of episodes that a new one follows; those still firing end here. */
export const RETIRE = statement(
  'retire',
  `UPDATE alerts SET current = false, state = 'resolved' WHERE id = ANY($1::uuid[])`,
);

/** Answers only the fingerprints that nobody else has opened meanwhile. $1: now. */
export const OPEN = statement(
  'open',
  `INSERT INTO alerts (fingerprint, content, name, severity, labels, annotations, generator_url, state, timeout,
     occurrences, starts_at, ends_at, received_at, last_seen_at, origin)
   SELECT fingerprint, content, name, severity, labels, annotations, generator_url, state, timeout, times,
     ${seconds('starts_at')}, ${seconds('ends_at')}, ${seconds('$1')}, ${seconds('$1')}, origin
   FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::text[],
     $9::boolean[], $10::float8[], $11::float8[], $12::int[], $13::json[], $14::text[])
     AS sent(fingerprint, content, name, severity, labels, annotations, generator_url, timeout, starts_at, ends_at,
       times, origin, state)
   ORDER BY fingerprint
   ON CONFLICT (fingerprint) WHERE current DO NOTHING
   RETURNING id, fingerprint`,
);

/** What a continued, reopened, resolved or repeated episode becomes. An end need not repeat what is annotated. */
export const CHANGE = statement(
  'change',
  `UPDATE alerts SET
     state = sent.state, content = sent.content,
     annotations = CASE WHEN sent.state = 'resolved' AND sent.annotations = '{}' THEN alerts.annotations ELSE sent.annotations END,
     generator_url = coalesce(nullif(sent.generator_url, ''), alerts.generator_url),
     timeout = sent.timeout, starts_at = ${seconds('sent.starts_at')}, ends_at = ${seconds('sent.ends_at')},
     occurrences = alerts.occurrences + sent.times, last_seen_at = ${seconds('$9')}, origin = sent.origin
   FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::jsonb[], $5::text[], $6::boolean[], $7::float8[],
     $8::float8[], $10::int[], $11::json[])
     AS sent(id, state, content, annotations, generator_url, timeout, starts_at, ends_at, times, origin)
   WHERE alerts.id = sent.id`,
);

export const APPEND_EVENTS = statement(
  'append-events',
  `INSERT INTO alert_events (alert_id, type, at, actor, data)
   SELECT alert_id, type, ${seconds('$5')}, actor, data
   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[]) AS event(alert_id, type, actor, data)`,
);

const WAKE_WITHIN_SECONDS = 1;

/**
 * Makes the groups that are missing (and wakes the dispatcher where one is due soon), and locks all of them against being
 * reaped: key share, so that writers do not block each other, nor the dispatcher. $1…$5: id, key, route, labels, due;
 * $6: now. Who uses it must select from `woken`: PostgreSQL does not run what nothing asks for.
 */
const groupsMadeAndHeld = (condition: string) => `made AS (
     INSERT INTO alert_groups (id, key, route, labels, next_flush_at)
     SELECT id, key, route, labels, ${seconds('due')}
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::float8[])
       AS wanted(id, key, route, labels, due)
     WHERE ${condition} ORDER BY id
     ON CONFLICT (id) DO NOTHING
     RETURNING id, next_flush_at
   ), woken AS (
     SELECT pg_notify('${GROUPS_DUE}', '') FROM made
     WHERE next_flush_at < ${seconds(`$6::float8 + ${WAKE_WITHIN_SECONDS}`)} LIMIT 1
   ), held AS (
     SELECT id, flushed_at IS NULL AND next_flush_at > ${seconds('$6')} AS waiting
     FROM alert_groups WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE
   )`;

/** Answers the groups that are there and held. One that is missing was reaped in between: ask again. */
export const HOLD_GROUPS = statement(
  'hold-groups',
  `WITH ${groupsMadeAndHeld('true')}
   SELECT id, (SELECT count(*) FROM woken) AS woken FROM made UNION ALL SELECT id, 0 FROM held`,
);

/** A group that was never flushed does not wait for an alert whose own group_wait is over already. */
export const HASTEN_GROUPS = statement(
  'hasten-groups',
  `WITH hastened AS (
     UPDATE alert_groups SET next_flush_at = ${seconds('$2')}
     WHERE id = ANY($1::uuid[]) AND flushed_at IS NULL AND next_flush_at > ${seconds('$2')}
     RETURNING id
   )
   SELECT pg_notify('${GROUPS_DUE}', '') FROM hastened LIMIT 1`,
);

export const JOIN_GROUPS = statement(
  'join-groups',
  `INSERT INTO group_alerts (group_id, alert_id)
   SELECT * FROM unnest($1::uuid[], $2::uuid[]) ON CONFLICT DO NOTHING`,
);

export const ADD_INHIBITORS = statement(
  'add-inhibitors',
  `INSERT INTO inhibitors (key, alert_id, two_sided)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) ON CONFLICT DO NOTHING`,
);

/**
 * All that a firing alert calls for which nobody has seen before, in one statement and so one transaction: its episode,
 * its event, its groups, what it inhibits. No group is made for an alert that is known after all: it would be flushed empty
 * before the alert joins it, and keep that waiting for a whole group_interval. Answers the fingerprints that are new
 * indeed, and which groups would have to be hastened. A group that is reaped in between would leave its alert alone: the
 * division by zero rolls everything back.
 */
export const RAISE = statement(
  'raise',
  `WITH opened AS (
     INSERT INTO alerts (fingerprint, content, name, severity, labels, annotations, generator_url, state, timeout,
       occurrences, starts_at, ends_at, received_at, last_seen_at, origin)
     SELECT fingerprint, content, name, severity, labels, annotations, generator_url, 'firing', timeout, times,
       ${seconds('starts_at')}, ${seconds('ends_at')}, ${seconds('$6')}, ${seconds('$6')}, origin
     FROM unnest($7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::jsonb[], $12::jsonb[], $13::text[],
       $14::boolean[], $15::float8[], $16::float8[], $17::int[], $18::json[])
       AS sent(fingerprint, content, name, severity, labels, annotations, generator_url, timeout, starts_at, ends_at,
         times, origin)
     ORDER BY fingerprint
     ON CONFLICT (fingerprint) WHERE current DO NOTHING
     RETURNING id, fingerprint
   ), member AS (
     SELECT group_id, opened.id AS alert_id
     FROM unnest($21::uuid[], $22::bigint[]) AS wanted(group_id, fingerprint) JOIN opened USING (fingerprint)
   ), ${groupsMadeAndHeld('id IN (SELECT group_id FROM member)')}, fired AS (
     INSERT INTO alert_events (alert_id, type, at, actor, data)
     SELECT opened.id, 'fired', ${seconds('$6')}, actor, data
     FROM unnest($7::bigint[], $19::text[], $20::jsonb[]) AS sent(fingerprint, actor, data)
     JOIN opened USING (fingerprint)
   ), joined AS (
     INSERT INTO group_alerts (group_id, alert_id) SELECT group_id, alert_id FROM member
   ), inhibiting AS (
     INSERT INTO inhibitors (key, alert_id, two_sided)
     SELECT source.key, opened.id, source.two_sided
     FROM unnest($23::uuid[], $24::bigint[], $25::boolean[]) AS source(key, fingerprint, two_sided)
     JOIN opened USING (fingerprint)
     ON CONFLICT DO NOTHING
   ), groups AS (
     SELECT (SELECT count(*) FROM (
         SELECT group_id FROM member EXCEPT (SELECT id FROM made UNION ALL SELECT id FROM held)) AS missing) AS missing,
       (SELECT array_agg(id) FROM held WHERE waiting) AS waiting,
       (SELECT count(*) FROM woken) AS woken
   )
   SELECT opened.fingerprint, groups.waiting, groups.woken,
     1 / (groups.missing = 0)::int AS all_present
   FROM opened, groups`,
);
