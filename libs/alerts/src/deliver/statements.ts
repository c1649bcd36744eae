import { ofAnyLength, type Statement } from 'eyrie/database';
import { enqueueSql } from 'eyrie/jobs';
import { deliverNotification } from './deliver-notification.task.js';
import { circuitChanges, healthSql } from './health-statements.js';

const statement = (name: string, text: string): Statement => ({ name: `deliver:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

/** What an attempt has to know of a notification, but for its payload, and what is known of its integration. */
export const ATTEMPTABLE = `id, receiver, notification.integration, attempts, (origin ->> 'at')::float8 AS caused_at,
     extract(epoch FROM retry_since)::float8 AS retry_since, extract(epoch FROM open_until)::float8 AS open_until,
     coalesce(probing, false) AS probing`;
export const ITS_HEALTH = 'LEFT JOIN receiver_health health ON health.integration = notification.integration';

export const LOAD = statement(
  'load',
  `SELECT ${ATTEMPTABLE}, payload::text AS body FROM notifications notification ${ITS_HEALTH}
   WHERE id = ANY(${ofAnyLength('$1::uuid[]')}) AND state = 'pending'`,
);

/** Puts notifications back into the queue whose time has not come. $3: whether they have had their turn under the rate. */
export const PUT_BACK = statement(
  'put-back',
  enqueueSql(
    deliverNotification,
    `SELECT json_build_object('id', id, 'inTurn', in_turn) AS payload, ${seconds('run_at')} AS run_at, origin
     FROM notifications JOIN unnest($1::uuid[], $2::float8[], $3::bool[]) AS back(id, run_at, in_turn) USING (id)
     WHERE state = 'pending'`,
  ),
);

/** Lets one of all workers try whether an integration is back; $3: until when the others leave it to that one. */
export const CLAIM_PROBE = statement(
  'claim-probe',
  `UPDATE receiver_health SET open_until = ${seconds('$3')}, probing = true
   WHERE integration = $1 AND open_until <= ${seconds('$2')} RETURNING integration`,
);

/**
 * Takes turns under the rates of integrations, as the generic cell rate algorithm counts them (ITU-T I.371), and answers
 * when the first of each is. $2: how many; $3, $4: the interval between two in seconds, and the burst; $5: now.
 */
export const TAKE_TURNS = statement(
  'take-turns',
  `WITH wanted AS (
     SELECT * FROM unnest($1::text[], $2::int[], $3::float8[], $4::int[]) AS wanted(integration, many, apart, burst)
   )
   INSERT INTO receiver_health AS health (integration, next_turn_at)
   SELECT integration, ${seconds('$5 + (many - burst + 1) * apart')} FROM wanted ORDER BY integration
   ON CONFLICT (integration) DO UPDATE SET next_turn_at = greatest(excluded.next_turn_at, health.next_turn_at + (
     SELECT many * apart * interval '1 s' FROM wanted WHERE wanted.integration = health.integration))
   RETURNING integration, extract(epoch FROM next_turn_at)::float8 AS next_turn`,
);

/**
 * Writes down how attempts ended: the state of the notifications (one that was settled meanwhile is left alone), the
 * attempts, the jobs of those that are to be tried again. Counts down what is under way in each line, that is, of each
 * group and integration, and starts the next where something is left. Log rows are locked in the order of the flush.
 * Answers the circuits that have changed.
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
     RETURNING notifications.id, notifications.attempts, group_id, integration, notifications.state, origin
   ), recorded AS (
     INSERT INTO notification_attempts (notification_id, number, at, duration_ms, outcome, status_code, error)
     SELECT id, attempts, ${seconds('at')}, duration_ms, outcome, status_code, attempt.error
     FROM settled JOIN attempt USING (id)
     ON CONFLICT DO NOTHING
   ), over AS (
     SELECT group_id, integration, count(*)::int AS many FROM settled WHERE state <> 'pending' GROUP BY 1, 2
   ), line AS (
     SELECT log.group_id, log.integration, many FROM notification_log log JOIN over USING (group_id, integration)
     ORDER BY log.group_id, log.integration FOR UPDATE OF log
   ), counted AS (
     UPDATE notification_log AS log SET outstanding = greatest(outstanding - many, 0)
     FROM line WHERE log.group_id = line.group_id AND log.integration = line.integration
     RETURNING log.group_id, log.integration, outstanding
   ), next AS (
     SELECT next.id, next.origin
     FROM counted, start_next_in_line(counted.group_id, counted.integration, ${seconds('$9')}) AS next
     WHERE outstanding > 0
   ), queued AS (
     ${enqueueSql(
       deliverNotification,
       `SELECT json_build_object('id', id) AS payload, ${seconds('retry_at')} AS run_at, origin
        FROM settled JOIN attempt USING (id) WHERE settled.state = 'pending'
        UNION ALL SELECT json_build_object('id', id), NULL, origin FROM next`,
     )}
   ), ${healthSql(10)}
   SELECT (SELECT count(*) FROM queued) AS queued, ${circuitChanges} AS circuits`,
);

/**
 * Dead letters that are to be tried again: they count as under way, so that what comes after them waits, and they wait
 * themselves while something of their line is. Answers those that may start. A line that was forgotten, because its group is
 * gone, begins anew.
 */
export const REVIVE = statement(
  'revive',
  `WITH dead AS (
     SELECT id, group_id, integration FROM notifications WHERE id = ANY($1::uuid[]) AND state = 'dead'
     ORDER BY id FOR UPDATE
   ), line AS (
     SELECT group_id, integration, count(*)::int AS many, (array_agg(id ORDER BY id))[1] AS first
     FROM dead GROUP BY 1, 2
   ), log AS (
     INSERT INTO notification_log AS log (group_id, integration, firing, resolved, notified_at, outstanding)
     SELECT group_id, integration, '{}', '{}', ${seconds('$2')}, many FROM line ORDER BY group_id, integration
     ON CONFLICT (group_id, integration) DO UPDATE SET outstanding = log.outstanding + excluded.outstanding
     RETURNING group_id, integration, outstanding
   ), revived AS (
     UPDATE notifications SET
       state = CASE WHEN log.outstanding = line.many AND dead.id = line.first THEN 'pending' ELSE 'waiting' END,
       retry_since = ${seconds('$2')}, settled_at = NULL
     FROM dead JOIN line USING (group_id, integration) JOIN log USING (group_id, integration)
     WHERE notifications.id = dead.id
     RETURNING notifications.id, notifications.state
   )
   SELECT id, state = 'pending' AS starts FROM revived`,
);
