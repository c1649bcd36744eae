import { type Statement } from 'eyrie/database';

/** The SQL of what people do about alerts. */
const statement = (name: string, text: string): Statement => ({ name: `people:${name}`, text });
const seconds = (column: string) => `to_timestamp(${column})`;

const columns = `alert.id, alert.fingerprint::text, alert.state = 'resolved' OR alert.ends_at <= ${seconds('$2')} AS over,
  alert.acknowledged_by, extract(epoch FROM alert.acknowledged_at)::float8 AS acknowledged_at,
  (SELECT extract(epoch FROM until)::float8 FROM alert_snoozes snooze
   WHERE snooze.fingerprint = alert.fingerprint AND until > ${seconds('$2')}) AS snoozed_until`;

/** $2: now. */
export const ATTENTION = statement('attention', `SELECT ${columns} FROM alerts alert WHERE id = ANY($1::uuid[])`);

/** Against other people and against senders; a dispatcher that reads does not wait. */
export const LOCK = statement('lock', `SELECT ${columns} FROM alerts alert WHERE id = $1 FOR NO KEY UPDATE`);

export const ACKNOWLEDGE = statement(
  'acknowledge',
  `UPDATE alerts SET acknowledged_by = $2, acknowledged_at = ${seconds('$3')} WHERE id = $1`,
);

export const UNACKNOWLEDGE = statement(
  'unacknowledge',
  `UPDATE alerts SET acknowledged_by = NULL, acknowledged_at = NULL WHERE id = $1`,
);

/** Nobody takes care any more: an escalation begins anew. */
export const RESTART_ESCALATION = statement(
  'restart-escalation',
  `UPDATE escalations SET step = 0, began_at = ${seconds('$2')}, next_at = ${seconds('$2')}, held_since = NULL, held_by = NULL
   WHERE alert_id = $1 AND name IS NOT NULL`,
);

export const RESOLVE = statement(
  'resolve',
  `UPDATE alerts SET state = 'resolved', ends_at = greatest(${seconds('$2')}, starts_at), origin = $3 WHERE id = $1`,
);

export const SNOOZE = statement(
  'snooze',
  `INSERT INTO alert_snoozes (fingerprint, until) VALUES ($1, ${seconds('$2')})
   ON CONFLICT (fingerprint) DO UPDATE SET until = excluded.until`,
);

/** Snoozes end by themselves; this only tidies up. */
export const DROP_SNOOZES = statement(
  'drop-snoozes',
  `DELETE FROM alert_snoozes WHERE fingerprint IN (
     SELECT fingerprint FROM alert_snoozes WHERE until <= ${seconds('$1')} FOR UPDATE SKIP LOCKED)`,
);

export const LAST_EVENT = statement(
  'last-event',
  `SELECT type, actor, data FROM alert_events WHERE alert_id = $1 ORDER BY id DESC LIMIT 1`,
);
