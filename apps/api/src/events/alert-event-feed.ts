import { type Labels, matchesAll, parseMatchers } from 'eyrie/alerts';
import type { Queryable, Statement } from 'eyrie/database';
import { EventFeed, type EventFilter, type EventRange, type LiveEvent } from 'eyrie/realtime';

interface EventRow {
  id: string;
  type: string;
  at: number;
  actor: string;
  data: unknown;
  alert_id: string;
  fingerprint: string | null;
  name: string | null;
  severity: string | null;
  state: string | null;
  labels: Labels | null;
}

const READ: Statement = {
  name: 'live-events-read',
  text: `
    SELECT event.id, event.type, extract(epoch FROM event.at)::float8 AS at, event.actor, event.data, event.alert_id,
      alert.fingerprint, alert.name, alert.severity, alert.labels,
      CASE WHEN alert.ends_at <= now() THEN 'resolved' ELSE alert.state END AS state
    FROM (SELECT * FROM alert_events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) AS event
    LEFT JOIN alerts AS alert ON alert.id = event.alert_id
    ORDER BY event.id`,
};

const LAST: Statement = {
  name: 'live-events-last',
  text: `SELECT id FROM alert_events ORDER BY id DESC LIMIT 1`,
};

/**
 * Whoever inserts holds this lock on the table from before the id is taken until the transaction has ended, and what it has
 * committed is visible before the lock is gone.
 */
const WRITERS: Statement = {
  name: 'live-events-writers',
  text: `
    SELECT DISTINCT virtualtransaction AS writer FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'alert_events'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};

/**
 * Retention takes what has been over for longer than $2 seconds: while an event is there and younger, all later ones are.
 * Where nothing had happened yet, nothing is missed as long as the very first event is there.
 */
const CAN_RESUME: Statement = {
  name: 'live-events-can-resume',
  text: `
    SELECT CASE WHEN $1::bigint = 0
      THEN NOT EXISTS (SELECT FROM alert_events) OR EXISTS (SELECT FROM alert_events WHERE id = 1)
      ELSE EXISTS (SELECT FROM alert_events WHERE id = $1::bigint AND at > now() - make_interval(secs => $2::float8))
    END AS possible`,
};

/** Beyond any id that will ever be given out; the largest that is still exact as a number. */
const noEnd = Number.MAX_SAFE_INTEGER;

/** The history of all alerts, with what a console shows of each: the alert as it is when the event is read. */
export class AlertEventFeed extends EventFeed {
  constructor(
    private readonly database: Queryable,
    private readonly retentionMs: number,
  ) {
    super();
  }

  async read({ after, upTo = noEnd, limit }: EventRange): Promise<LiveEvent[]> {
    const rows = await this.database.query<EventRow>(READ, [after, upTo, limit]);
    return rows.map((row) => ({
      id: Number(row.id),
      type: `alert.${row.type}`,
      at: new Date(Math.round(row.at * 1000)).toISOString(),
      data: {
        alertId: row.alert_id,
        fingerprint: row.fingerprint === null ? null : fingerprintText(row.fingerprint),
        name: row.name,
        severity: row.severity,
        state: row.state,
        labels: row.labels ?? {},
        actor: row.actor,
        details: row.data,
      },
    }));
  }

  async last(): Promise<number> {
    const [row] = await this.database.query<{ id: string }>(LAST);
    return Number(row?.id ?? 0);
  }

  async writers(): Promise<string[]> {
    const rows = await this.database.query<{ writer: string }>(WRITERS);
    return rows.map(({ writer }) => writer);
  }

  async canResumeFrom(id: number): Promise<boolean> {
    const [row] = await this.database.query<{ possible: boolean }>(CAN_RESUME, [id, this.retentionMs / 1000]);
    return row?.possible ?? false;
  }

  filterOf(matchers: readonly string[]): EventFilter {
    const all = matchers.flatMap((text) => parseMatchers(text));
    return ({ data }) => matchesAll(all, data['labels'] as Labels);
  }
}

/** Alertmanager's spelling: 16 hexadecimal digits. */
function fingerprintText(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16).padStart(16, '0');
}
