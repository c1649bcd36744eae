import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { NAME_LABEL, type AlertState } from '../alert.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { matchesAll, type Labels, type Matcher } from '../config/index.js';
import { findInhibitors } from '../dispatch/inhibition.js';
import { fingerprintText, timeText } from '../dispatch/render.js';
import { SilenceIndex } from '../silences/index.js';

/** One episode of an alert, as the API shows it. Times are RFC 3339. */
export interface AlertView {
  id: string;
  fingerprint: string;
  name: string;
  severity: string;
  state: AlertState;
  labels: Labels;
  annotations: Labels;
  generatorURL: string;
  startsAt: string;
  /** Of a firing alert: when it will count as resolved unless it is sent again. */
  endsAt: string;
  lastSeenAt: string;
  occurrences: number;
  /** Who takes care, since when; null: nobody. */
  acknowledgedBy: string | null;
  acknowledgedAt: string | null;
  /** Nobody is told of it until then; null: it is not snoozed. */
  snoozedUntil: string | null;
}

export interface AlertFilter {
  state?: AlertState;
  severity?: string;
  matchers?: readonly Matcher[];
  /** Only alerts that came in before the one with this id. */
  before?: string;
  limit: number;
}

export interface AlertPage {
  alerts: AlertView[];
  /** Where the next page begins; absent on the last one. */
  next?: string;
}

/** An active alert as `GET /api/v2/alerts` wants it. */
export interface ActiveAlert extends AlertView {
  receivers: string[];
  /** Fingerprints of the alerts that inhibit it. */
  inhibitedBy: string[];
  /** Ids of the silences that hold for it. */
  silencedBy: string[];
}

interface AlertRow {
  id: string;
  fingerprint: string;
  name: string;
  severity: string;
  state: AlertState;
  labels: Labels;
  annotations: Labels;
  generator_url: string;
  starts_at: number;
  ends_at: number;
  last_seen_at: number;
  occurrences: string;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
  snoozed_until: number | null;
}

const COLUMNS = `id, fingerprint, name, severity, state, labels, annotations, generator_url, occurrences,
  extract(epoch FROM starts_at)::float8 AS starts_at, extract(epoch FROM ends_at)::float8 AS ends_at,
  extract(epoch FROM last_seen_at)::float8 AS last_seen_at, acknowledged_by,
  extract(epoch FROM acknowledged_at)::float8 AS acknowledged_at, (SELECT extract(epoch FROM until)::float8
    FROM alert_snoozes WHERE alert_snoozes.fingerprint = alerts.fingerprint) AS snoozed_until`;

/** Rows read for one page at the most: a rare match in a long history takes several pages, never one endless query. */
const MAX_SCANNED = 20_000;
const MAX_CHUNK = 1_000;

/** Answers questions about alerts. */
@Injectable()
export class AlertsReader {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly silences: SilenceIndex,
    private readonly clock: Clock,
  ) {}

  /** A page of alerts, the latest first. A page may be short, or even empty, and still have a next one. */
  async page(filter: AlertFilter): Promise<AlertPage> {
    const { matchers = [], limit } = filter;
    const found: AlertView[] = [];
    let before = filter.before;
    for (let scanned = 0; scanned < MAX_SCANNED;) {
      const chunk = Math.min(MAX_CHUNK, matchers.length > 0 ? limit * 4 : limit + 1);
      const rows = await this.rows({ ...filter, before }, chunk);
      for (const row of rows) {
        if (!matchesAll(matchers, row.labels)) continue;
        if (found.length === limit) return { alerts: found, next: found.at(-1)!.id };
        found.push(this.view(row));
      }
      if (rows.length < chunk) return { alerts: found };
      before = rows.at(-1)!.id;
      scanned += rows.length;
    }
    return { alerts: found, next: before };
  }

  async byId(id: string): Promise<AlertView | undefined> {
    const [row] = await this.database.query<AlertRow>(`SELECT ${COLUMNS} FROM alerts WHERE id = $1`, [id]);
    return row && this.view(row);
  }

  /** What happened to an alert, the earliest first. */
  async events(alertId: string, limit = 500): Promise<AlertEventView[]> {
    const rows = await this.database.query<Omit<AlertEventView, 'at'> & { at: number }>(
      `SELECT id::text, type, extract(epoch FROM at)::float8 AS at, actor, data FROM alert_events
       WHERE alert_id = $1 ORDER BY alert_events.id LIMIT $2`,
      [alertId, limit],
    );
    return rows.map((row) => ({ ...row, at: timeText(row.at) }));
  }

  /** Every firing alert that matches, with its receivers and what keeps it from being told. */
  async active(matchers: readonly Matcher[]): Promise<ActiveAlert[]> {
    const now = this.clock.now();
    const rows = await this.database.query<AlertRow>(
      `SELECT ${COLUMNS} FROM alerts WHERE state = 'firing' AND ends_at > to_timestamp($1) ORDER BY id`,
      [now / 1000],
    );
    const alerts = rows.filter(({ labels }) => matchesAll(matchers, labels));
    const { routing } = this.configs;
    const inhibitors = await findInhibitors(this.database, routing, alerts, now);
    await this.silences.catchUp(this.database, now);
    const fingerprints = new Map(rows.map((row) => [row.id, fingerprintText(row.fingerprint)]));
    return alerts.map((row) => ({
      ...this.view(row),
      receivers: [...new Set(routing.groupsOf(row.labels).map(({ route }) => route.receiver))],
      inhibitedBy: (inhibitors.get(row.id) ?? []).flatMap((id) => fingerprints.get(id) ?? []),
      silencedBy: this.silences.silencing(row, now),
    }));
  }

  private rows(filter: AlertFilter, limit: number): Promise<AlertRow[]> {
    const parameters: unknown[] = [];
    const where: string[] = [];
    const add = (condition: (parameter: string) => string, value: unknown) =>
      where.push(condition(`$${parameters.push(value)}`));
    const now = this.clock.now() / 1000;
    if (filter.state === 'firing') {
      where.push(`state = 'firing'`);
      add((p) => `ends_at > to_timestamp(${p})`, now);
    }
    if (filter.state === 'resolved') add((p) => `(state = 'resolved' OR ends_at <= to_timestamp(${p}))`, now);
    if (filter.severity !== undefined) add((p) => `severity = ${p}`, filter.severity);
    if (filter.before !== undefined) add((p) => `id < ${p}`, filter.before);
    // The one label with a column, and an index, of its own.
    const name = filter.matchers?.find((matcher) => matcher.name === NAME_LABEL && matcher.operator === '=');
    if (name) add((p) => `name = ${p}`, name.value);
    const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    const limited = `$${parameters.push(limit)}`;
    return this.database.query<AlertRow>(
      `SELECT ${COLUMNS} FROM alerts ${condition} ORDER BY id DESC LIMIT ${limited}`,
      parameters,
    );
  }

  private view(row: AlertRow): AlertView {
    const over = row.state === 'firing' && row.ends_at * 1000 <= this.clock.now();
    const snoozed = row.snoozed_until !== null && row.snoozed_until * 1000 > this.clock.now();
    return {
      id: row.id,
      fingerprint: fingerprintText(row.fingerprint),
      name: row.name,
      severity: row.severity,
      state: over ? 'resolved' : row.state,
      labels: row.labels,
      annotations: row.annotations,
      generatorURL: row.generator_url,
      startsAt: timeText(row.starts_at),
      endsAt: timeText(row.ends_at),
      lastSeenAt: timeText(row.last_seen_at),
      occurrences: Number(row.occurrences),
      acknowledgedBy: row.acknowledged_by,
      acknowledgedAt: row.acknowledged_at === null ? null : timeText(row.acknowledged_at),
      snoozedUntil: snoozed ? timeText(row.snoozed_until!) : null,
    };
  }
}

/** An entry of an alert's history. */
export interface AlertEventView {
  id: string;
  type: string;
  at: string;
  actor: string;
  data: { groups?: string[] } | null;
}
