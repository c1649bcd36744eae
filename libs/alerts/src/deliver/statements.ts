import { type Statement } from 'eyrie/database';
import { enqueueSql } from 'eyrie/jobs';
import { deliverNotification } from './deliver-notification.task.js';

const statement = (name: string, text: string): Statement => ({ name: `deliver:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

export const LOAD = statement(
  'load',
  `SELECT id, group_id, integration, payload::text AS body, attempts, extract(epoch FROM retry_since)::float8 AS retry_since
   FROM notifications WHERE id = ANY($1::uuid[]) AND state = 'pending'`,
);

/**
 * Writes down how attempts ended: the state of the notifications (one that was settled meanwhile is left alone), the
 * attempts, the jobs of those that are to be tried again. Counts down what is under way in each line, that is, of each
 * group and integration, and answers the lines where something is left. Log rows are locked in the order of the flush.
 */
export const SETTLE = statement(
  'settle',
  `WITH attempt AS (
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[], $5::int[], $6::text[], $7::int[], $8::float8[])
       AS attempt(id, state, error, at, duration_ms, outcome, status_code, retry_at)
   ), settled AS (
     UPDATE notifications SET
       state = attempt.state, attempts = notifications.attempts + 1, error = attempt.error,
       settled_at = CASE WHEN attempt.state = 'pending' THEN NULL ELSE ${seconds('$9')} END
     FROM attempt WHERE notifications.id = attempt.id AND notifications.state = 'pending'
     RETURNING notifications.id, notifications.attempts, group_id, integration, notifications.state
   ), recorded AS (
     INSERT INTO notification_attempts (notification_id, number, at, duration_ms, outcome, status_code, error)
     SELECT id, attempts, ${seconds('at')}, duration_ms, outcome, status_code, attempt.error
     FROM settled JOIN attempt USING (id)
     ON CONFLICT DO NOTHING
   ), queued AS (
     ${enqueueSql(
       deliverNotification,
       `SELECT json_build_object('id', id) AS payload, ${seconds('retry_at')} AS run_at
        FROM settled JOIN attempt USING (id) WHERE settled.state = 'pending'`,
     )}
   ), over AS (
     SELECT group_id, integration, count(*)::int AS many FROM settled WHERE state <> 'pending' GROUP BY 1, 2
   ), line AS (
     SELECT log.group_id, log.integration, many FROM notification_log log JOIN over USING (group_id, integration)
     ORDER BY log.group_id, log.integration FOR UPDATE OF log
   ), counted AS (
     UPDATE notification_log AS log SET outstanding = greatest(outstanding - many, 0)
     FROM line WHERE log.group_id = line.group_id AND log.integration = line.integration
     RETURNING log.group_id, log.integration, outstanding
   )
   SELECT group_id, integration, (SELECT count(*) FROM queued) AS queued FROM counted WHERE outstanding > 0
   UNION ALL SELECT NULL, NULL, count(*) FROM queued`,
);

/** The next of each line may start. A statement of its own, after the lock: it sees all that joined the line before. */
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
