import { Inject, Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { flushDuration, groupsFlushed } from '../alerts.metrics.js';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { isRouteMuted, type AlertsConfig, type Integration, type Route } from '../config/index.js';
import { FreshNotifications, type NotificationRow } from '../deliver/fresh-notifications.js';
import { EventWrites } from '../event-writes.js';
import { appendEvents } from '../ingest/alert-writer.js';
import { latestOrigin } from '../ingest/origin.js';
import { type NotificationReason } from '../notify/index.js';
import { SilenceIndex } from '../silences/index.js';
import { decideNotification, type LogEntry } from './decision.js';
import { findInhibitors } from './inhibition.js';
import { type ClaimedGroup, type GroupMember, type Member } from './member.js';
import { Orphans } from './orphans.js';
import { renderNotification } from './render.js';
import {
  CLAIM_DUE,
  DROP_INHIBITORS,
  EXPIRE,
  LEAVE_GROUPS,
  LOCK_EMPTY,
  LOCK_ENDED,
  LOG_ENTRIES,
  MEMBERS,
  REAP,
  TELL,
} from './statements.js';

/** Groups in one pass: enough to share the cost of its statements, few enough to keep the transaction short. */
const MAX_GROUPS = 100;

/** What a pass has committed. */
interface Flushed {
  readonly claimed: number;
  /** Notifications that may be sent at once. */
  readonly ready: NotificationRow[];
  /** Ids of groups in which nothing is left. */
  readonly emptied: string[];
  /** How many events the histories of alerts have got. */
  readonly events: number;
}

interface Flush {
  readonly group: ClaimedGroup;
  readonly route: Route;
  readonly members: GroupMember[];
}

/** One notification to be, or, without alerts, a log entry that changes silently. */
interface Telling {
  readonly flush: Flush;
  readonly integration: Integration;
  readonly firing: readonly Member[];
  readonly resolved: readonly Member[];
  readonly send: readonly Member[] | undefined;
  readonly reason: NotificationReason;
  /** In milliseconds, when this integration was told of this group before. */
  readonly toldAt: number | undefined;
}

interface LogRow {
  group_id: string;
  integration: string;
  firing: string[];
  resolved: string[];
  notified_at: number;
}

/**
 * Flushes the groups that are due: decides, as Alertmanager's notification pipeline does, what each integration has to be
 * told, and commits the notifications together with their jobs, the log and the next flush. A dispatcher that dies half-way
 * has committed nothing, and its groups are still due.
 */
@Injectable()
export class FlushPass {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly orphans: Orphans,
    private readonly silences: SilenceIndex,
    private readonly clock: Clock,
    private readonly events: EventWrites,
    private readonly fresh: FreshNotifications,
    @Inject(ALERTS_OPTIONS) private readonly options: Pick<AlertsOptions, 'externalUrl'>,
  ) {}

  /** Answers how many groups were due. */
  async run(): Promise<number> {
    const now = this.clock.now();
    const started = performance.now();
    const { claimed, ready, emptied, events } = await this.database.transaction((tx) => this.flush(tx, now));
    this.fresh.keep(ready);
    if (events > 0) this.events.committed();
    if (claimed > 0) flushDuration.observe((performance.now() - started) / 1000);
    groupsFlushed.inc(claimed);
    if (emptied.length > 0) await this.reap(emptied);
    return claimed;
  }

  private async flush(tx: Queryable, now: number): Promise<Flushed> {
    const { config, routing } = this.configs;
    const groups = await tx.query<ClaimedGroup>(CLAIM_DUE, [now / 1000, MAX_GROUPS, ...routing.intervalColumns]);
    if (groups.length === 0) return { claimed: 0, ready: [], emptied: [], events: 0 };
    const members = await tx.query<GroupMember>(MEMBERS, [groups.map(({ id }) => id), now / 1000]);
    const { ended, expired } = await this.settleEnded(tx, members, now);
    const byGroup = Map.groupBy(members, ({ group_id }) => group_id);

    const flushes: Flush[] = [];
    const orphaned: ClaimedGroup[] = [];
    for (const group of groups) {
      const route = routing.route(group.route);
      if (route) flushes.push({ group, route, members: byGroup.get(group.id) ?? [] });
      else orphaned.push(group);
    }
    const adopted = orphaned.length > 0 ? await this.orphans.adopt(tx, orphaned, byGroup, now) : 0;

    const inhibited = await findInhibitors(tx, routing, members, now);
    await this.silences.catchUp(tx, now, groups[0]!.silences);
    const silenced = (member: Member) => this.silences.silencing(member, now).length > 0;
    const muted = (member: GroupMember) => member.snoozed || inhibited.has(member.id) || silenced(member);
    const audible = (flush: Flush) =>
      isRouteMuted(flush.route, config.timeIntervals, new Date(now))
        ? []
        : flush.members.filter((member) => !muted(member));
    const ready = await this.tell(tx, await this.decide(tx, flushes, audible, config, now), now);
    const leaving = flushes.flatMap((flush) => flush.members.filter((member) => ended.has(member.id)));
    await this.leave(tx, leaving);
    const staying = new Set(members.filter(({ id }) => !ended.has(id)).map(({ group_id }) => group_id));
    const emptied = groups.map(({ id }) => id).filter((id) => !staying.has(id));
    return { claimed: groups.length, ready, emptied, events: expired + adopted };
  }

  /**
   * Ends the alerts whose time is up; answers how many, and the ids of all that have ended. One that a writer is changing at this
   * moment counts as firing: the next flush will know.
   */
  private async settleEnded(
    tx: Queryable,
    members: readonly Member[],
    now: number,
  ): Promise<{ ended: Set<string>; expired: number }> {
    const over = (member: Member) => member.state === 'resolved' || member.ends_at * 1000 <= now;
    const candidates = [...new Set(members.filter(over).map(({ id }) => id))];
    if (candidates.length === 0) return { ended: new Set(), expired: 0 };
    const rows = await tx.query<{ id: string; state: string }>(LOCK_ENDED, [candidates, now / 1000]);
    const expired = rows.filter(({ state }) => state === 'firing').map(({ id }) => id);
    if (expired.length > 0) {
      await tx.query(EXPIRE, [expired]);
      await appendEvents(
        tx,
        expired.map((alertId) => ({ alertId, type: 'expired', actor: 'system' })),
        now,
      );
    }
    const ended = new Set(rows.map(({ id }) => id));
    for (const member of members) member.state = ended.has(member.id) ? 'resolved' : 'firing';
    return { ended, expired: expired.length };
  }

  private async decide(
    tx: Queryable,
    flushes: readonly Flush[],
    audible: (flush: Flush) => readonly Member[],
    config: AlertsConfig,
    now: number,
  ): Promise<Telling[]> {
    const log = await this.logEntries(tx, flushes);
    return flushes.flatMap((flush) => {
      const alerts = latestOfEach(audible(flush));
      if (alerts.length === 0) return [];
      const firing = alerts.filter(({ state }) => state === 'firing');
      const resolved = alerts.filter(({ state }) => state === 'resolved');
      const integrations = config.receivers.get(flush.route.receiver)?.integrations ?? [];
      return integrations.flatMap((integration) => {
        const entry = log.get(`${flush.group.id} ${integration.key}`);
        const { repeatIntervalMs } = flush.route;
        const decision = decideNotification(entry, { firing, resolved }, integration, repeatIntervalMs, now);
        if (decision?.reason === 'repeat interval elapsed' && firing.every(({ acknowledged }) => acknowledged))
          return [];
        return decision ? [{ flush, integration, firing, resolved, toldAt: entry?.notifiedAt, ...decision }] : [];
      });
    });
  }

  /** What integrations were last told, by group and integration. */
  private async logEntries(tx: Queryable, flushes: readonly Flush[]): Promise<Map<string, LogEntry>> {
    const told = flushes.filter(({ group }) => group.told);
    if (told.length === 0) return new Map();
    const rows = await tx.query<LogRow>(LOG_ENTRIES, [told.map(({ group }) => group.id)]);
    return new Map(rows.map((row) => [`${row.group_id} ${row.integration}`, toLogEntry(row)]));
  }

  /** Answers the notifications that may be sent at once. */
  private async tell(tx: Queryable, tellings: readonly Telling[], now: number): Promise<NotificationRow[]> {
    if (tellings.length === 0) return [];
    const payloads = tellings.map((telling) => this.payload(telling));
    const rows = await tx.query<Omit<NotificationRow, 'body'> & { group_id: string }>(TELL, [
      tellings.map(({ flush }) => flush.group.id),
      tellings.map(({ integration }) => integration.receiver),
      tellings.map(({ integration }) => integration.key),
      tellings.map(({ firing }) => fingerprintArray(firing)),
      tellings.map(({ resolved }) => fingerprintArray(resolved)),
      tellings.map(({ send }) => send && fingerprintArray(send)),
      payloads,
      now / 1000,
      tellings.map(originOf),
    ]);
    const lines = tellings.map(({ flush, integration }) => `${flush.group.id} ${integration.key}`);
    const payloadOf = new Map(lines.map((line, index) => [line, payloads[index]!]));
    return rows.map((row) => ({ ...row, body: payloadOf.get(`${row.group_id} ${row.integration}`)! }));
  }

  private payload({ flush, integration, send, reason }: Telling): string | undefined {
    if (!send) return undefined;
    return JSON.stringify(renderNotification(flush.group, integration, send, reason, this.options.externalUrl));
  }

  private async leave(tx: Queryable, leaving: readonly Member[]): Promise<void> {
    if (leaving.length === 0) return;
    await tx.query(LEAVE_GROUPS, [leaving.map(({ group_id }) => group_id), leaving.map(({ id }) => id)]);
    await tx.query(DROP_INHIBITORS, [[...new Set(leaving.map(({ id }) => id))]]);
  }

  /** Removes empty groups; one that a writer holds stays, and is looked at again at its next flush. */
  private async reap(emptied: readonly string[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      const locked = await tx.query<{ id: string }>(LOCK_EMPTY, [emptied]);
      if (locked.length > 0) await tx.query(REAP, [locked.map(({ id }) => id)]);
    });
  }
}

/** A fingerprint may stand twice in a group: an episode that ended and the one that followed. The latter counts. */
function latestOfEach(members: readonly Member[]): Member[] {
  const latest = new Map<string, Member>();
  for (const member of members) {
    if (member.current || !latest.has(member.fingerprint)) latest.set(member.fingerprint, member);
  }
  return [...latest.values()];
}

function toLogEntry(row: LogRow): LogEntry {
  return { firing: new Set(row.firing), resolved: new Set(row.resolved), notifiedAt: row.notified_at * 1000 };
}

function originOf({ send = [], toldAt }: Telling): string | null {
  const origin = latestOrigin(
    send.map((member) => member.origin),
    toldAt && toldAt / 1000,
  );
  return origin ? JSON.stringify(origin) : null;
}

/** As PostgreSQL reads an array: a text, because arrays of different lengths cannot travel in one parameter. */
function fingerprintArray(members: readonly Member[]): string {
  return `{${members.map(({ fingerprint }) => fingerprint).join(',')}}`;
}
