import { Injectable } from '@nestjs/common';
import { Database, type Queryable, retryTransient } from 'eyrie/database';
import { NAME_LABEL, SEVERITY_LABEL, type AlertState, type IncomingAlert } from '../alert.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { fingerprintValue } from '../config/index.js';
import { EventWrites } from '../event-writes.js';
import { decide, type Decision, type Episode } from './episode.js';
import { GroupMembership } from './group-membership.js';
import { MembershipPlan } from './membership-plan.js';
import type { Origin } from './origin.js';
import { RecentSet } from './recent-set.js';
import {
  APPEND_EVENTS,
  CHANGE,
  FEW,
  HASTEN_GROUPS,
  LOCK_CURRENT,
  OPEN,
  RAISE,
  RETIRE,
  TOUCH,
  TOUCH_FEW,
} from './statements.js';

/** An incoming alert with what identifies it, how often it stands in the batch, and who sent it. */
export interface SentAlert {
  readonly alert: IncomingAlert;
  /** The order in which writers lock: that of the fingerprints as numbers. */
  readonly order: bigint;
  /** Signed 64-bit decimals, as PostgreSQL's bigint reads them. */
  readonly fingerprint: string;
  readonly content: string;
  times: number;
  readonly actor: string;
  readonly origin: Origin;
}

export interface AlertEvent {
  alertId: string;
  type: 'fired' | 'resolved' | 'reopened' | 'changed' | 'expired' | 'recorded' | 'regrouped';
  actor: string;
  data?: Record<string, unknown>;
}

export function identify(alert: IncomingAlert, actor: string, origin: Origin): SentAlert {
  // Everything beside the labels that a re-send may change, but for the times; NUL cannot stand in a name.
  const content = { ...alert.annotations, '\0url': alert.generatorUrl, '\0timeout': String(alert.timeout) };
  const order = fingerprintValue(alert.labels);
  return {
    alert,
    order,
    fingerprint: order.toString(),
    content: fingerprintValue(content).toString(),
    times: 1,
    actor,
    origin,
  };
}

const toSeconds = (milliseconds: number) => milliseconds / 1000;
const MAX_ROUNDS = 5;
const MAX_RECENT = 100_000;

interface EpisodeRow {
  id: string;
  fingerprint: string;
  state: AlertState;
  timeout: boolean;
  starts_at: number;
  ends_at: number;
}

interface Change {
  readonly id: string;
  readonly kind: keyof typeof EVENT_OF;
  readonly sent: SentAlert;
  readonly state: AlertState;
  readonly timeout: boolean;
  readonly startsAt: number;
  readonly endsAt: number;
}

/**
 * Commits batches of alerts. One statement is enough for those that only repeat what is known, another for those that
 * nobody has seen before; the rest go through a transaction that opens, continues or ends episodes.
 */
@Injectable()
export class AlertWriter {
  /** Only a guess at which statement will do; each finds out by itself when it was the wrong one. */
  private readonly recent = new RecentSet<string>(MAX_RECENT);

  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly membership: GroupMembership,
    private readonly clock: Clock,
    private readonly events: EventWrites,
  ) {}

  /**
   * Resolves once all is committed. A batch holds each fingerprint once, in ascending order. What lost against another
   * transaction runs again: each step by itself, or what the steps before it have counted would count twice.
   */
  async write(batch: readonly SentAlert[]): Promise<void> {
    const now = this.clock.now();
    const repeated = batch.filter(({ fingerprint }) => this.recent.has(fingerprint));
    if (repeated.length < batch.length) repeated.push(...(await this.raiseUnexpected(batch, now)));
    let rest = await retryTransient(() => this.touch(repeated, now));
    for (let round = 0; rest.length > 0; round++) {
      if (round === MAX_ROUNDS) throw new Error(`${rest.length} alerts kept changing under the writer`);
      const applied = await retryTransient(() => this.database.transaction((tx) => this.apply(tx, rest, now)));
      if (applied.events > 0) this.events.committed();
      rest = applied.rest;
    }
    for (const { fingerprint } of batch) this.recent.add(fingerprint);
  }

  /** Answers the alerts that are known after all, or do not fire. */
  private async raiseUnexpected(batch: readonly SentAlert[], now: number): Promise<SentAlert[]> {
    const unexpected = batch.filter(({ fingerprint }) => !this.recent.has(fingerprint));
    const known = await this.raise(unexpected, now);
    if (known.length < unexpected.length) this.events.committed();
    return known;
  }

  /** Opens the episodes of firing alerts that have none. Answers the alerts for which that was not the right thing. */
  private async raise(batch: readonly SentAlert[], now: number): Promise<SentAlert[]> {
    const firing = batch.filter(({ alert }) => alert.endsAt > now);
    if (firing.length === 0) return [...batch];
    const plan = new MembershipPlan(
      this.configs.routing,
      firing.map(({ fingerprint, alert }) => ({ ref: fingerprint, labels: alert.labels, startsAt: alert.startsAt })),
      now,
    );
    const parameters = [
      ...plan.groupColumns,
      toSeconds(now),
      ...episodeColumns(firing),
      firing.map(({ actor }) => actor),
      firing.map(({ fingerprint }) => JSON.stringify({ groups: plan.groupsOf.get(fingerprint) })),
      ...plan.memberColumns,
      ...plan.inhibitorColumns,
    ];
    const rows = await retryTransient(() =>
      this.database.query<{ fingerprint: string; waiting: string[] | null }>(RAISE, parameters),
    );
    const waiting = new Set(rows[0]?.waiting ?? []);
    const late = plan.dueNow.filter((group) => waiting.has(group));
    if (late.length > 0) await retryTransient(() => this.database.query(HASTEN_GROUPS, [late, toSeconds(now)]));
    return without(batch, rows);
  }

  /** Answers the alerts for which it was not enough. */
  private async touch(batch: readonly SentAlert[], now: number): Promise<SentAlert[]> {
    const firing = batch.filter(({ alert }) => alert.endsAt > now);
    if (firing.length === 0) return [...batch];
    const touched = await this.database.query<{ fingerprint: string }>(firing.length > FEW ? TOUCH : TOUCH_FEW, [
      firing.map((sent) => sent.fingerprint),
      firing.map((sent) => sent.content),
      firing.map((sent) => toSeconds(sent.alert.startsAt)),
      firing.map((sent) => toSeconds(sent.alert.endsAt)),
      firing.map((sent) => sent.times),
      toSeconds(now),
    ]);
    return without(batch, touched);
  }

  /** Answers the alerts that another writer has opened meanwhile, which want another round, and how many events there are. */
  private async apply(
    tx: Queryable,
    batch: readonly SentAlert[],
    now: number,
  ): Promise<{ rest: SentAlert[]; events: number }> {
    const routing = this.configs.routing;
    const rows = await tx.query<EpisodeRow>(LOCK_CURRENT, [batch.map((sent) => sent.fingerprint)]);
    const episodes = new Map(rows.map((row) => [row.fingerprint, toEpisode(row)]));
    const events: AlertEvent[] = [];
    const opening: SentAlert[] = [];
    const changes: Change[] = [];
    const retired: string[] = [];

    for (const sent of batch) {
      const episode = episodes.get(sent.fingerprint);
      const decision = decide(episode, sent.alert, now);
      if (decision.kind === 'stale') continue;
      if (!('startsAt' in decision)) {
        opening.push(sent);
        if (episode) retired.push(episode.id);
        if (episode?.state === 'firing') events.push({ alertId: episode.id, type: 'expired', actor: 'system' });
        continue;
      }
      changes.push(toChange(episode!, sent, decision));
    }

    if (retired.length > 0) await tx.query(RETIRE, [retired]);
    const opened = await this.open(tx, opening, now);
    await this.change(tx, changes, now);
    const joining = [
      ...opening.flatMap((sent) => {
        const id = opened.get(sent.fingerprint);
        return id && sent.alert.endsAt > now
          ? [{ ref: id, labels: sent.alert.labels, startsAt: sent.alert.startsAt }]
          : [];
      }),
      ...changes
        .filter(({ state }) => state === 'firing')
        .map(({ id, sent, startsAt }) => ({ ref: id, labels: sent.alert.labels, startsAt })),
    ];
    const groupsOf = await this.membership.join(tx, routing, joining, now);
    for (const { id, kind, sent } of changes) {
      const groups = kind === 'reopen' ? groupsOf.get(id) : undefined;
      const type = EVENT_OF[kind];
      if (type) events.push({ alertId: id, type, actor: sent.actor, data: groups && { groups } });
    }
    for (const sent of opening) {
      const alertId = opened.get(sent.fingerprint);
      if (!alertId) continue;
      const type = sent.alert.endsAt > now ? 'fired' : 'recorded';
      const groups = groupsOf.get(alertId);
      events.push({ alertId, type, actor: sent.actor, data: groups && { groups } });
    }
    await appendEvents(tx, events, now);
    return { rest: opening.filter((sent) => !opened.has(sent.fingerprint)), events: events.length };
  }

  private async open(tx: Queryable, sent: readonly SentAlert[], now: number): Promise<Map<string, string>> {
    if (sent.length === 0) return new Map();
    const rows = await tx.query<{ id: string; fingerprint: string }>(OPEN, [
      toSeconds(now),
      ...episodeColumns(sent),
      sent.map(({ alert }) => (alert.endsAt > now ? 'firing' : 'resolved')),
    ]);
    return new Map(rows.map((row) => [row.fingerprint, row.id]));
  }

  private async change(tx: Queryable, changes: readonly Change[], now: number): Promise<void> {
    if (changes.length === 0) return;
    await tx.query(CHANGE, [
      changes.map(({ id }) => id),
      changes.map(({ state }) => state),
      changes.map(({ sent }) => sent.content),
      changes.map(({ sent }) => JSON.stringify(sent.alert.annotations)),
      changes.map(({ sent }) => sent.alert.generatorUrl),
      changes.map(({ timeout }) => timeout),
      changes.map(({ startsAt }) => toSeconds(startsAt)),
      changes.map(({ endsAt }) => toSeconds(endsAt)),
      toSeconds(now),
      changes.map(({ sent }) => sent.times),
      changes.map(({ sent }) => sent.origin.column),
    ]);
  }
}

/** The columns of a new episode: identity, content, times. */
function episodeColumns(sent: readonly SentAlert[]): unknown[] {
  const alerts = sent.map(({ alert }) => alert);
  return [
    sent.map((one) => one.fingerprint),
    sent.map((one) => one.content),
    alerts.map((alert) => alert.labels[NAME_LABEL] ?? ''),
    alerts.map((alert) => alert.labels[SEVERITY_LABEL] ?? ''),
    alerts.map((alert) => JSON.stringify(alert.labels)),
    alerts.map((alert) => JSON.stringify(alert.annotations)),
    alerts.map((alert) => alert.generatorUrl),
    alerts.map((alert) => alert.timeout),
    alerts.map((alert) => toSeconds(alert.startsAt)),
    alerts.map((alert) => toSeconds(alert.endsAt)),
    sent.map((one) => one.times),
    sent.map((one) => one.origin.column),
  ];
}

function without(batch: readonly SentAlert[], done: readonly { fingerprint: string }[]): SentAlert[] {
  if (done.length === batch.length) return [];
  const fingerprints = new Set(done.map(({ fingerprint }) => fingerprint));
  return batch.filter(({ fingerprint }) => !fingerprints.has(fingerprint));
}

const EVENT_OF = { continue: 'changed', reopen: 'reopened', resolve: 'resolved', repeat: undefined } as const;

function toEpisode(row: EpisodeRow): Episode {
  return {
    id: row.id,
    state: row.state,
    timeout: row.timeout,
    startsAt: Math.round(row.starts_at * 1000),
    endsAt: Math.round(row.ends_at * 1000),
  };
}

function toChange(episode: Episode, sent: SentAlert, decision: Extract<Decision, { startsAt: number }>): Change {
  const state = decision.kind === 'resolve' || decision.kind === 'repeat' ? 'resolved' : 'firing';
  // As long as the episode goes on, an end that was said once counts as said.
  const timeout = sent.alert.timeout && (decision.kind !== 'continue' || episode.timeout);
  return { id: episode.id, sent, state, timeout, ...decision };
}

/** Appends to the history of alerts; a caller's transaction holds the alerts themselves. */
export async function appendEvents(tx: Queryable, events: readonly AlertEvent[], now: number): Promise<void> {
  if (events.length === 0) return;
  await tx.query(APPEND_EVENTS, [
    events.map(({ alertId }) => alertId),
    events.map(({ type }) => type),
    events.map(({ actor }) => actor),
    events.map(({ data }) => (data ? JSON.stringify(data) : null)),
    toSeconds(now),
  ]);
}
