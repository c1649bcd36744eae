import { type Statement } from 'eyrie/database';

const statement = (name: string, text: string): Statement => ({ name: `deliver:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

export const LOAD = statement(
  'load',
  `SELECT id, group_id, integration, payload::text AS body, attempts, extract(epoch FROM retry_since)::float8 AS retry_since
   FROM notifications WHERE id = ANY($1::uuid[]) AND state = 'pending'`,
);

/** Answers those that this attempt was for: one that was settled meanwhile is left alone. */
export const SETTLE = statement(
  'settle',
  `UPDATE notifications SET
     state = attempt.state, attempts = notifications.attempts + 1, error = attempt.error,
     settled_at = CASE WHEN attempt.state = 'pending' THEN NULL ELSE ${seconds('$4')} END
   FROM unnest($1::uuid[], $2::text[], $3::text[]) AS attempt(id, state, error)
   WHERE notifications.id = attempt.id AND notifications.state = 'pending'
   RETURNING notifications.id, notifications.attempts, notifications.group_id, notifications.integration,
     notifications.state`,
);

export const RECORD_ATTEMPTS = statement(
  'record-attempts',
  `INSERT INTO notification_attempts (notification_id, number, at, duration_ms, outcome, status_code, error)
   SELECT id, number, ${seconds('at')}, duration_ms, outcome, status_code, error
   FROM unnest($1::uuid[], $2::int[], $3::float8[], $4::int[], $5::text[], $6::int[], $7::text[])
     AS attempt(id, number, at, duration_ms, outcome, status_code, error)
   ON CONFLICT DO NOTHING`,
);

/** Counts down what is under way, and answers where something waits behind. Rows are locked in the order of the flush. */
export const COUNT_DOWN = statement(
  'count-down',
  `WITH locked AS (
     SELECT log.group_id, log.integration, done.settled
     FROM notification_log log
     JOIN (SELECT group_id, integration, count(*)::int AS settled
           FROM unnest($1::uuid[], $2::text[]) AS one(group_id, integration) GROUP BY 1, 2) AS done
       USING (group_id, integration)
     ORDER BY log.group_id, log.integration FOR UPDATE OF log
   )
   UPDATE notification_log SET outstanding = greatest(outstanding - locked.settled, 0)
   FROM locked
   WHERE notification_log.group_id = locked.group_id AND notification_log.integration = locked.integration
   RETURNING notification_log.group_id, notification_log.integration, notification_log.outstanding`,
);

/** The next in line of each group and integration. */
export const PROMOTE = statement(
  'promote',
  `UPDATE notifications SET state = 'pending', retry_since = ${seconds('$3')}
   WHERE id IN (
     SELECT (SELECT id FROM notifications
             WHERE group_id = line.group_id AND integration = line.integration AND state = 'waiting'
             ORDER BY id LIMIT 1)
     FROM unnest($1::uuid[], $2::text[]) AS line(group_id, integration))
   RETURNING id`,
);

/** Dead letters that are to be tried again: they count as under way. */
export const REVIVE = statement(
  'revive',
  `WITH revived AS (
     UPDATE notifications SET state = 'pending', retry_since = ${seconds('$2')}, settled_at = NULL
     WHERE id = ANY($1::uuid[]) AND state = 'dead'
     RETURNING id, group_id, integration
   ), counted AS (
     UPDATE notification_log SET outstanding = outstanding + line.many
     FROM (SELECT group_id, integration, count(*)::int AS many FROM revived GROUP BY 1, 2) AS line
     WHERE notification_log.group_id = line.group_id AND notification_log.integration = line.integration
   )
   SELECT id FROM revived`,
);
