import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { escalationSteps } from '../alerts.metrics.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { findInhibitors } from '../dispatch/inhibition.js';
import { type Member } from '../dispatch/member.js';
import { EventWrites } from '../event-writes.js';
import { APPEND_EVENTS } from '../ingest/statements.js';
import { SilenceIndex } from '../silences/index.js';
import { advance, type Progress } from './decision.js';
import { type Escalation } from './escalations-config.js';
import { type Notice, Notices } from './notices.js';
import { ADVANCE, ALERTS, CLAIM_DUE, NEXT_DUE } from './statements.js';

/** Escalations in one pass: enough to share the cost of its statements, few enough to keep the transaction short. */
const MAX_CLAIMED = 100;

/** Times in seconds. */
interface EscalationRow {
  alert_id: string;
  name: string;
  step: number;
  told: string[];
  held_by: Progress['heldBy'];
  began_at: number;
  next_at: number;
  held_since: number | null;
}

type EscalatingMember = Member & { acknowledged: boolean; snoozed_until: number | null };

/** Where an escalation stands after the pass. */
interface Outcome {
  readonly row: EscalationRow;
  /** Null: the configuration has none for this alert any more. */
  readonly escalation: Escalation | undefined;
  readonly progress: Progress;
  readonly member?: Member;
  readonly tell: readonly string[];
}

/**
 * Takes the steps that are due. What is told, the event in the alert's history and the time of the next step are committed
 * together: a worker that dies half-way has told nobody, and its escalations are still due.
 */
@Injectable()
export class EscalationPass {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly notices: Notices,
    private readonly silences: SilenceIndex,
    private readonly clock: Clock,
    private readonly events: EventWrites,
  ) {}

  /** Answers how many escalations were due. */
  async run(): Promise<number> {
    const now = this.clock.now();
    const outcomes = await this.database.transaction((tx) => this.take(tx, now));
    if (outcomes.some(({ tell }) => tell.length > 0)) this.events.committed();
    for (const { escalation, tell } of outcomes) {
      if (escalation && tell.length > 0) escalationSteps.inc({ escalation: escalation.name });
    }
    return outcomes.length;
  }

  /** When the next step is due, in milliseconds. */
  async nextDue(): Promise<number | undefined> {
    const [row] = await this.database.query<{ due: number | null }>(NEXT_DUE);
    return row?.due == null ? undefined : row.due * 1000;
  }

  private async take(tx: Queryable, now: number): Promise<Outcome[]> {
    const rows = await tx.query<EscalationRow>(CLAIM_DUE, [now / 1000, MAX_CLAIMED]);
    if (rows.length === 0) return [];
    const members = await tx.query<EscalatingMember>(ALERTS, [rows.map(({ alert_id }) => alert_id), now / 1000]);
    const inhibited = await findInhibitors(tx, this.configs.routing, members, now);
    await this.silences.catchUp(tx, now);
    const silent = (member: Member) => inhibited.has(member.id) || this.silences.silencing(member, now).length > 0;
    const found = new Map(members.map((member) => [member.id, { member, silent: silent(member) }]));
    const outcomes = rows.map((row) => this.decide(row, found.get(row.alert_id), now));
    await this.notices.send(tx, outcomes.flatMap(noticesOf), now);
    await this.record(tx, outcomes, now);
    return outcomes;
  }

  private decide(
    row: EscalationRow,
    { member, silent }: { member?: EscalatingMember; silent?: boolean } = {},
    now: number,
  ): Outcome {
    const known = this.configs.escalations.get(row.name);
    // The file has changed: what it now has for these labels begins from here.
    const escalation = known ?? (member && this.configs.escalations.for(member.labels));
    const before = known ? toProgress(row) : { ...toProgress(row), step: 0, beganAt: now };
    if (!escalation) return { row, escalation, progress: { ...before, nextAt: null }, tell: [] };
    const snoozedUntil = member?.snoozed_until == null ? undefined : member.snoozed_until * 1000;
    const circumstances = {
      over: !member || member.state === 'resolved' || member.ends_at * 1000 <= now,
      acknowledged: member?.acknowledged ?? false,
      muted: silent === true || snoozedUntil !== undefined,
      snoozedUntil,
    };
    return { row, escalation, ...(member && { member }), ...advance(escalation, before, circumstances, now) };
  }

  private async record(tx: Queryable, outcomes: readonly Outcome[], now: number): Promise<void> {
    const { hash } = this.configs.escalations;
    await tx.query(ADVANCE, [
      outcomes.map(({ row }) => row.alert_id),
      outcomes.map(({ escalation }) => escalation?.name),
      outcomes.map(({ progress }) => progress.step),
      outcomes.map(({ progress }) => progress.beganAt / 1000),
      outcomes.map(({ progress }) => progress.nextAt && progress.nextAt / 1000),
      outcomes.map(({ progress }) => progress.heldSince && progress.heldSince / 1000),
      outcomes.map(({ progress }) => progress.heldBy),
      outcomes.map(({ row, tell }) => JSON.stringify([...new Set([...row.told, ...tell])])),
      hash,
    ]);
    const told = outcomes.filter(({ tell }) => tell.length > 0);
    if (told.length === 0) return;
    await tx.query(APPEND_EVENTS, [
      told.map(({ row }) => row.alert_id),
      told.map(() => 'escalated'),
      told.map(() => 'system'),
      told.map(({ row, escalation, tell }) =>
        JSON.stringify({ escalation: escalation!.name, receivers: tell, groups: [row.alert_id] }),
      ),
      now / 1000,
    ]);
  }
}

function toProgress(row: EscalationRow): Progress {
  return {
    step: row.step,
    beganAt: Math.round(row.began_at * 1000),
    nextAt: Math.round(row.next_at * 1000),
    heldSince: row.held_since === null ? null : Math.round(row.held_since * 1000),
    heldBy: row.held_by,
  };
}

function noticesOf({ row, escalation, member, tell }: Outcome): Notice[] {
  if (!escalation || !member) return [];
  return tell.map((receiver) => ({
    escalation: escalation.name,
    member,
    receiver,
    reason: row.told.includes(receiver) ? 'repeat interval elapsed' : 'first notification',
  }));
}
