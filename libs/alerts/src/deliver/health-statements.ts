import { type NotifySettings } from '../notify/index.js';
import { type HealthUpdate } from './health-update.js';

/** A circuit that has opened, opened again, or closed. Times in seconds. */
export interface CircuitChange {
  integration: string;
  was: number | null;
  until: number | null;
}

/** As long as a success that changes nothing else is not written down again, in seconds. */
const SUCCESS_IS_NEWS_AFTER = 1;

/**
 * CTEs that bring `receiver_health` up to date with what attempts have shown, and answer the circuits that changed as
 * `health(integration, was, until)`. Rows about which there is nothing new are neither written nor locked. They use twelve
 * parameters from number `first` on: see {@link healthParameters}.
 */
export function healthSql(first: number): string {
  const p = (index: number) => `$${first + index}`;
  const types = ['text', 'int', 'bool', 'float8', 'float8', 'text', 'bool'];
  const columns = types.map((type, index) => `${p(index)}::${type}[]`).join(', ');
  const [now, limit, pause, longest, random] = [7, 8, 9, 10, 11].map(p);
  const isOver = (failures: string) => `(${limit}::int > 0 AND ${failures} >= ${limit}::int)`;
  const opened = (openings: string) =>
    `to_timestamp(${now}::float8 + least(${longest}::float8, ${pause}::float8 * power(2, least(${openings}, 40) - 1))
       * (1 + ${random}::float8 / 4))`;
  const told = (column: string) => `(SELECT told.${column} FROM told WHERE told.integration = health.integration)`;
  const failures = `(CASE WHEN ${told('answered')} THEN 0 ELSE health.failures END + excluded.failures)`;
  const stays = `(health.open_until IS NOT NULL AND NOT ${told('answered')})`;
  return `told AS (
     SELECT * FROM unnest(${columns}) AS told(integration, failures, answered, success_at, error_at, error, probed)
   ), news AS (
     SELECT told.* FROM told LEFT JOIN receiver_health known ON known.integration = told.integration
     WHERE known.integration IS NULL OR told.error_at IS NOT NULL OR known.failures > 0 OR known.open_until IS NOT NULL
       OR known.last_success_at IS NULL
       OR known.last_success_at < to_timestamp(told.success_at) - interval '${SUCCESS_IS_NEWS_AFTER} s'
   ), health AS (
     INSERT INTO receiver_health AS health
       (integration, last_success_at, last_error_at, last_error, failures, open_until, openings)
     SELECT integration, to_timestamp(success_at), to_timestamp(error_at), error, failures,
       CASE WHEN ${isOver('failures')} THEN ${opened('1')} END, ${isOver('failures')}::int
     FROM news ORDER BY integration
     ON CONFLICT (integration) DO UPDATE SET
       last_success_at = greatest(health.last_success_at, excluded.last_success_at),
       last_error_at = greatest(health.last_error_at, excluded.last_error_at),
       last_error = coalesce(excluded.last_error, health.last_error),
       failures = ${failures},
       probing = health.probing AND ${stays} AND NOT ${told('probed')},
       openings = CASE WHEN ${stays} THEN health.openings + ${told('probed')}::int ELSE ${isOver(failures)}::int END,
       open_until = CASE
         WHEN ${stays} AND NOT ${told('probed')} THEN health.open_until
         WHEN ${stays} THEN ${opened('health.openings + 1')}
         WHEN ${isOver(failures)} THEN ${opened('1')} END
     RETURNING integration, extract(epoch FROM old.open_until)::float8 AS was,
       extract(epoch FROM new.open_until)::float8 AS until
   )`;
}

/** The changes of circuits as a JSON array, of which the main query of {@link healthSql} has to make a column. */
export const circuitChanges = `(SELECT json_agg(health) FROM health WHERE was IS DISTINCT FROM until)`;

export type BreakerSettings = Pick<NotifySettings, 'breakerFailures' | 'breakerPauseMs' | 'breakerPauseMaxMs'>;

export function healthParameters(updates: readonly HealthUpdate[], settings: BreakerSettings, now: number): unknown[] {
  return [
    updates.map(({ integration }) => integration),
    updates.map(({ failures }) => failures),
    updates.map(({ answered }) => answered),
    updates.map(({ successAt }) => successAt && successAt / 1000),
    updates.map(({ errorAt }) => errorAt && errorAt / 1000),
    updates.map(({ error }) => error),
    updates.map(({ probed }) => probed),
    now / 1000,
    settings.breakerFailures,
    settings.breakerPauseMs / 1000,
    settings.breakerPauseMaxMs / 1000,
    Math.random(),
  ];
}
