import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { heartbeatsMissed } from '../alerts.metrics.js';
import { AlertsService } from '../alerts.service.js';
import { Clock } from '../clock.js';
import { formatDuration } from '../config/index.js';
import { alertRequest } from '../intake/alert-request.js';
import { missingAlert } from './heartbeat.js';
import { type HeartbeatRow } from './heartbeat-row.js';
import { DELETE, DUE, MISS, NEXT_DUE, OVERDUE, RAISED, RETURNED } from './statements.js';

const MAX_CLAIMED = 100;
/** An alert that somebody has resolved by hand while the heartbeat still misses comes back after so long. */
const SAY_AGAIN_MS = 3_600_000;
/** Longer than any outage of the workers: the alert must not end before a beat ends it. */
const FIRES_FOR_MS = 30 * 86_400_000;
const ACTOR = 'heartbeats';

type DueRow = HeartbeatRow & { beats: boolean };

/**
 * Raises the alerts of heartbeats that are overdue, and ends those of heartbeats that beat again. That an alert is meant to
 * be there is committed before it is raised, and forgotten after it has ended: whoever dies in between is repeated, and to
 * raise or end an alert twice changes nothing.
 */
@Injectable()
export class HeartbeatPass {
  constructor(
    private readonly database: Database,
    private readonly alerts: AlertsService,
    private readonly clock: Clock,
  ) {}

  /** Answers how many heartbeats were due. */
  async run(): Promise<number> {
    const now = this.clock.now();
    const missed = await this.database.transaction((tx) => this.miss(tx, now));
    heartbeatsMissed.inc(missed);
    // A beat waits for the row meanwhile: it comes before or after what is said here, never in between.
    return this.database.transaction((tx) => this.tell(tx, now));
  }

  /** When the next one is due, in milliseconds. */
  async nextDue(): Promise<number | undefined> {
    const [row] = await this.database.query<{ due: number | null }>(NEXT_DUE);
    return row?.due == null ? undefined : row.due * 1000;
  }

  private async miss(tx: Queryable, now: number): Promise<number> {
    const rows = await tx.query<HeartbeatRow>(OVERDUE, [now / 1000, MAX_CLAIMED]);
    if (rows.length === 0) return 0;
    const alerts = rows.map(({ name, period_ms, grace_ms, ...row }) =>
      missingAlert(name, { ...row, period: formatDuration(period_ms), grace: formatDuration(grace_ms) }),
    );
    await tx.query(MISS, [rows.map(({ name }) => name), alerts.map((alert) => JSON.stringify(alert))]);
    return rows.length;
  }

  private async tell(tx: Queryable, now: number): Promise<number> {
    const rows = await tx.query<DueRow>(DUE, [now / 1000, MAX_CLAIMED]);
    if (rows.length === 0) return 0;
    const silent = rows.filter(({ beats }) => !beats);
    const returned = rows.filter(({ beats }) => beats);
    await this.alerts.triggerAll(
      silent.map((row) => requestOf(row, now + FIRES_FOR_MS)),
      ACTOR,
    );
    await this.alerts.triggerAll(
      returned.map((row) => requestOf(row, now)),
      ACTOR,
    );
    await tx.query(RAISED, [silent.map(({ name }) => name), (now + SAY_AGAIN_MS) / 1000]);
    await tx.query(RETURNED, [returned.filter(({ removed }) => !removed).map(({ name }) => name)]);
    await tx.query(DELETE, [returned.filter(({ removed }) => removed).map(({ name }) => name)]);
    return rows.length;
  }
}

function requestOf({ alert, missing_since }: DueRow, endsAt: number) {
  return alertRequest.parse({
    ...alert,
    startsAt: new Date(missing_since! * 1000).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
  });
}
