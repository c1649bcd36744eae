import { ofAnyLength, type Statement } from 'eyrie/database';
import { enqueueSql } from 'eyrie/jobs';
import { deliverNotification } from '../deliver/deliver-notification.task.js';
import { ATTEMPTABLE, ITS_HEALTH } from '../deliver/statements.js';
import { LATEST_REVISION } from '../silences/index.js';

/** The SQL of a flush. A pass takes many groups and costs a fixed number of statements. */
const statement = (name: string, text: string): Statement => ({ name: `flush:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

/**
 * Takes due groups that no other dispatcher has in hand, and sets their next flush: after the interval of their route, or
 * at once where the route is unknown. The lock lets writers add alerts meanwhile. $3, $4: ids and intervals of the routes.
 * Answers, too, whether anybody may have been told of them, and which silences hold from here on. A log may be left of an
 * earlier group under this id.
 */
export const CLAIM_DUE = statement(
  'claim',
  `UPDATE alert_groups SET flushed_at = ${seconds('$1')},
     next_flush_at = ${seconds('$1')} + coalesce(
       (SELECT seconds FROM unnest($3::text[], $4::float8[]) AS known(id, seconds) WHERE known.id = alert_groups.route),
       0) * interval '1 second'
   WHERE id IN (
     SELECT id FROM alert_groups WHERE next_flush_at <= ${seconds('$1')}
     ORDER BY next_flush_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
   RETURNING new.id, new.key, new.route, new.labels, ${LATEST_REVISION} AS silences,
     old.flushed_at IS NOT NULL
       OR (SELECT true FROM notification_log WHERE group_id = new.id LIMIT 1) IS TRUE AS told`,
);

export const NEXT_DUE = statement(
  'next-due',
  `SELECT extract(epoch FROM min(next_flush_at))::float8 AS due FROM alert_groups`,
);

/** OFFSET 0 keeps the planner from joining with all alerts instead of asking for each. $2: now. */
export const MEMBERS = statement(
  'members',
  `SELECT member.group_id, alert.id, alert.fingerprint, alert.state, alert.current, alert.labels, alert.annotations,
     alert.generator_url, alert.origin, alert.acknowledged_at IS NOT NULL AS acknowledged,
     extract(epoch FROM alert.starts_at)::float8 AS starts_at,
     extract(epoch FROM alert.ends_at)::float8 AS ends_at,
     (SELECT until FROM alert_snoozes snooze WHERE snooze.fingerprint = alert.fingerprint) > ${seconds('$2')} IS TRUE
       AS snoozed
   FROM group_alerts member CROSS JOIN LATERAL (SELECT * FROM alerts WHERE alerts.id = member.alert_id OFFSET 0) alert
   WHERE member.group_id = ANY(${ofAnyLength('$1::uuid[]')})`,
);

/** Of alerts that have ended, those that no writer is changing right now; until the commit none will. */
export const LOCK_ENDED = statement(
  'lock-ended',
  `SELECT id, state FROM alerts
   WHERE id = ANY($1::uuid[]) AND (state = 'resolved' OR ends_at <= ${seconds('$2')})
   ORDER BY id FOR UPDATE SKIP LOCKED`,
);

export const EXPIRE = statement('expire', `UPDATE alerts SET state = 'resolved' WHERE id = ANY($1::uuid[])`);

/** Firing alerts that stand under one of the keys. */
export const INHIBITORS = statement(
  'inhibitors',
  `SELECT inhibitor.key, inhibitor.alert_id, inhibitor.two_sided
   FROM inhibitors inhibitor JOIN alerts alert ON alert.id = inhibitor.alert_id
   WHERE inhibitor.key = ANY($1::uuid[]) AND alert.state = 'firing' AND alert.ends_at > ${seconds('$2')}`,
);

export const LOG_ENTRIES = statement(
  'log-entries',
  `SELECT group_id, integration, firing, resolved, extract(epoch FROM notified_at)::float8 AS notified_at
   FROM notification_log WHERE group_id = ANY(${ofAnyLength('$1::uuid[]')})`,
);

/**
 * Writes down what integrations are told from now on, and the notifications with their jobs. Where an earlier one of the
 * same group and integration is still under way, the new one waits. Answers those that do not. $8: now. For the rest of its
 * transaction plans are kept, for the sake of the statements inside of graphile-worker's `add_jobs`: to plan those takes
 * longer than to run them.
 */
export const TELL = statement(
  'tell',
  `WITH telling AS (
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $9::json[])
       AS telling(group_id, receiver, integration, firing, resolved, told, payload, origin)
   ), log AS (
     INSERT INTO notification_log AS log (group_id, integration, firing, resolved, notified_at, outstanding)
     SELECT group_id, integration, firing::bigint[], resolved::bigint[], ${seconds('$8')}, (told IS NOT NULL)::int
     FROM telling ORDER BY group_id, integration
     ON CONFLICT (group_id, integration) DO UPDATE SET
       firing = excluded.firing, resolved = excluded.resolved, notified_at = excluded.notified_at,
       outstanding = log.outstanding + excluded.outstanding
     RETURNING group_id, integration, outstanding
   ), made AS (
     INSERT INTO notifications (group_id, receiver, integration, state, payload, fingerprints, created_at, retry_since,
       origin)
     SELECT group_id, receiver, integration, CASE WHEN outstanding > 1 THEN 'waiting' ELSE 'pending' END, payload,
       told::bigint[], ${seconds('$8')}, ${seconds('$8')}, origin
     FROM telling JOIN log USING (group_id, integration) WHERE told IS NOT NULL
     RETURNING id, group_id, receiver, integration, state, attempts, retry_since, origin
   ), queued AS (
     ${enqueueSql(
       deliverNotification,
       `SELECT json_build_object('id', id, 'first', true) AS payload, NULL::timestamptz AS run_at, origin
        FROM made
        WHERE state = 'pending' AND set_config('plan_cache_mode', 'force_generic_plan', true) IS NOT NULL`,
     )}
   )
   SELECT group_id, ${ATTEMPTABLE}, (SELECT count(*) FROM queued) AS queued
   FROM made notification ${ITS_HEALTH} WHERE state = 'pending'`,
);

export const LEAVE_GROUPS = statement(
  'leave-groups',
  `DELETE FROM group_alerts USING unnest($1::uuid[], $2::uuid[]) AS leaving(group_id, alert_id)
   WHERE group_alerts.group_id = leaving.group_id AND group_alerts.alert_id = leaving.alert_id`,
);

export const DROP_INHIBITORS = statement('drop-inhibitors', `DELETE FROM inhibitors WHERE alert_id = ANY($1::uuid[])`);

/** Groups that no writer holds. Under this lock none can add an alert. */
export const LOCK_EMPTY = statement(
  'lock-empty',
  `SELECT id FROM alert_groups WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED`,
);

/** A statement of its own, after the lock: it sees what was committed before the lock was had. */
export const REAP = statement(
  'reap',
  `WITH reaped AS (
     DELETE FROM alert_groups WHERE id = ANY($1::uuid[])
       AND NOT EXISTS (SELECT FROM group_alerts WHERE group_id = alert_groups.id)
     RETURNING id
   )
   DELETE FROM notification_log USING reaped WHERE group_id = reaped.id AND outstanding = 0`,
);
