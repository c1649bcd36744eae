import { type Statement } from 'eyrie/database';
import { circuitChanges, healthSql } from '../deliver/health-statements.js';
import { deliverNotification } from '../deliver/deliver-notification.task.js';

const statement = (name: string, text: string): Statement => ({ name: `receivers:${name}`, text });

export const HEALTH = statement(
  'health',
  `SELECT integration, failures, last_error, extract(epoch FROM last_success_at)::float8 AS last_success_at,
     extract(epoch FROM last_error_at)::float8 AS last_error_at, extract(epoch FROM open_until)::float8 AS open_until, probing
   FROM receiver_health`,
);

/** Each pending notification has a job, so that the queue finds them; the others are found by index. */
export const COUNTS = statement(
  'counts',
  `SELECT integration, count(DISTINCT notifications.id)::int AS pending,
     (count(DISTINCT notifications.id) FILTER (WHERE job.locked_at IS NOT NULL))::int AS in_flight, 0 AS waiting, 0 AS dead
   FROM graphile_worker._private_jobs job JOIN graphile_worker._private_tasks task ON task.id = job.task_id
   JOIN notifications ON notifications.id = (job.payload #>> '{data,id}')::uuid
   WHERE task.identifier = '${deliverNotification.name}' AND notifications.state = 'pending' GROUP BY 1
   UNION ALL
   SELECT integration, 0, 0, count(*)::int, 0 FROM notifications WHERE state = 'waiting' GROUP BY 1
   UNION ALL
   SELECT integration, 0, 0, 0, count(*)::int FROM notifications WHERE state = 'dead' GROUP BY 1`,
);

export const BEGIN_TESTS = statement(
  'begin-tests',
  `WITH outdated AS (DELETE FROM receiver_tests WHERE expires_at < to_timestamp($3) - interval '1 day')
   INSERT INTO receiver_tests (id, integration, expires_at)
   SELECT $1, integration, to_timestamp($4) FROM unnest($2::text[]) AS tested(integration)`,
);

export const PENDING_TEST = statement(
  'pending-test',
  `SELECT id FROM receiver_tests
   WHERE id = $1 AND integration = $2 AND outcome IS NULL AND expires_at > to_timestamp($3)`,
);

/** $1: channel. What the test has shown counts for the health of the integration, too. */
export const SETTLE_TEST = statement(
  'settle-test',
  `WITH settled AS (
     UPDATE receiver_tests SET outcome = $4, error = $5, duration_ms = $6 WHERE id = $2 AND integration = $3
   ), ${healthSql(7)}
   SELECT pg_notify($1, $2::uuid::text), ${circuitChanges} AS circuits`,
);

export const TEST_RESULTS = statement(
  'test-results',
  `SELECT integration, outcome, error, duration_ms AS "durationMs" FROM receiver_tests
   WHERE id = $1 AND outcome IS NOT NULL`,
);
