import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { Clock } from '../clock.js';
import { parseDuration } from '../config/index.js';
import { recordAudit } from '../people/audit-log.js';
import { type Requester } from '../people/requester.js';
import { type BeatRequest, type HeartbeatRequest, heartbeatRequest, type HeartbeatView } from './heartbeat.js';
import { type HeartbeatRow, toView } from './heartbeat-row.js';
import { BEAT, CHANGED, COUNT, DECLARE, DELETE, HEARTBEAT_COLUMNS, LOCK, REMOVE } from './statements.js';

/** Whoever may beat can make heartbeats: not without an end. */
const MAX_HEARTBEATS = 10_000;

export class TooManyHeartbeats extends Error {
  constructor() {
    super(`there are ${MAX_HEARTBEATS} heartbeats already`);
  }
}

/**
 * Dead man's switches: where no beat comes within period and grace, the worker raises an alert, and the next beat ends it.
 */
@Injectable()
export class HeartbeatsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a heartbeat, or changes it; its time is then counted from now. One that says what is known changes nothing.
   * @throws TooManyHeartbeats
   */
  declare(name: string, request: HeartbeatRequest, by: Requester): Promise<HeartbeatView> {
    const now = this.clock.now();
    return this.change(name, now, async (tx, row) => {
      if (row?.declared && isDeepStrictEqual(wordsOf(row), wordsOfRequest(request))) return;
      await this.store(tx, name, request, { declared: true, beatAt: undefined, isNew: !row, now });
      await recordAudit(tx, by, { action: 'heartbeat.declared', subject: `heartbeat:${name}`, data: request }, now);
    });
  }

  /**
   * A beat. One that names its period makes a heartbeat that is not known, and changes one that nobody has declared.
   * Answers undefined when there is none.
   * @throws TooManyHeartbeats
   */
  async beat(name: string, request: BeatRequest, by: Requester): Promise<HeartbeatView | undefined> {
    const now = this.clock.now();
    const [known] = await this.database.query<Pick<HeartbeatRow, 'declared' | 'period_ms' | 'grace_ms'>>(BEAT, [
      [name],
      now / 1000,
    ]);
    if (known ? known.declared || !saysOther(known, request) : request.period === undefined) return this.one(name);
    return this.change(name, now, async (tx, row) => {
      // Somebody has declared it meanwhile.
      if (row?.declared) return;
      const before = row && { period: `${row.period_ms}ms`, grace: `${row.grace_ms}ms` };
      const said = heartbeatRequest.parse({ ...before, ...withoutUndefined(request) });
      await this.store(tx, name, said, { declared: false, beatAt: now, isNew: !row, now });
      const action = row ? 'heartbeat.changed' : 'heartbeat.created';
      await recordAudit(tx, by, { action, subject: `heartbeat:${name}`, data: { ...request } }, now);
    });
  }

  /** Its alert, if there is one, ends. False where there is no such heartbeat. */
  remove(name: string, by: Requester): Promise<boolean> {
    const now = this.clock.now();
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<HeartbeatRow>(LOCK, [name]);
      if (!row || row.removed) return false;
      await (row.alert ? tx.query(REMOVE, [name, now / 1000]) : tx.query(DELETE, [[name]]));
      await tx.query(CHANGED);
      await recordAudit(tx, by, { action: 'heartbeat.removed', subject: `heartbeat:${name}` }, now);
      return true;
    });
  }

  async one(name: string): Promise<HeartbeatView | undefined> {
    const [row] = await this.database.query<HeartbeatRow>(
      `SELECT ${HEARTBEAT_COLUMNS} FROM heartbeats WHERE name = $1 AND NOT removed`,
      [name],
    );
    return row && toView(row, this.clock.now());
  }

  /** A page by name; `next` is the `after` of the following one. */
  async page(filter: {
    after?: string | undefined;
    limit: number;
  }): Promise<{ heartbeats: HeartbeatView[]; next?: string }> {
    const rows = await this.database.query<HeartbeatRow>(
      `SELECT ${HEARTBEAT_COLUMNS} FROM heartbeats WHERE NOT removed AND ($1::text IS NULL OR name > $1)
       ORDER BY name LIMIT $2`,
      [filter.after ?? null, filter.limit + 1],
    );
    const heartbeats = rows.slice(0, filter.limit).map((row) => toView(row, this.clock.now()));
    return rows.length > filter.limit ? { heartbeats, next: heartbeats.at(-1)!.name } : { heartbeats };
  }

  private async change(
    name: string,
    now: number,
    make: (tx: Queryable, row: HeartbeatRow | undefined) => Promise<void>,
  ): Promise<HeartbeatView> {
    return retryTransient(() =>
      this.database.transaction(async (tx) => {
        const [row] = await tx.query<HeartbeatRow>(LOCK, [name]);
        await make(tx, row?.removed ? undefined : row);
        const [after] = await tx.query<HeartbeatRow>(LOCK, [name]);
        return toView(after!, now);
      }),
    );
  }

  private async store(
    tx: Queryable,
    name: string,
    request: HeartbeatRequest,
    { declared, beatAt, isNew, now }: { declared: boolean; beatAt: number | undefined; isNew: boolean; now: number },
  ): Promise<void> {
    if (isNew) {
      const [row] = await tx.query<{ count: number }>(COUNT);
      if (row!.count >= MAX_HEARTBEATS) throw new TooManyHeartbeats();
    }
    await tx.query(DECLARE, [
      name,
      parseDuration(request.period),
      parseDuration(request.grace),
      request.severity,
      JSON.stringify(request.labels),
      request.message ?? null,
      request.matchers,
      declared,
      beatAt === undefined ? null : beatAt / 1000,
      now / 1000,
    ]);
    await tx.query(CHANGED);
  }
}

/** What a declaration says, in a form that can be compared. */
function wordsOf(row: HeartbeatRow) {
  const { period_ms: periodMs, grace_ms: graceMs, severity, labels, message, matchers } = row;
  return { periodMs, graceMs, severity, labels: { ...labels }, message, matchers };
}

function wordsOfRequest({ period, grace, severity, labels, message, matchers }: HeartbeatRequest) {
  const spans = { periodMs: parseDuration(period), graceMs: parseDuration(grace) };
  return { ...spans, severity, labels: { ...labels }, message: message ?? null, matchers };
}

function saysOther(known: Pick<HeartbeatRow, 'period_ms' | 'grace_ms'>, { period, grace }: BeatRequest): boolean {
  const differs = (said: string | undefined, ms: number) => said !== undefined && parseDuration(said) !== ms;
  return differs(period, known.period_ms) || differs(grace, known.grace_ms);
}

function withoutUndefined({ period, grace }: BeatRequest): BeatRequest {
  return { ...(period !== undefined && { period }), ...(grace !== undefined && { grace }) };
}
