import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Database, type Queryable, retryTransient, untilAvailable } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { type AlertsConfig, type Labels } from '../config/index.js';
import { EventWrites } from '../event-writes.js';
import { appendEvents, type AlertEvent } from '../ingest/alert-writer.js';
import { GroupMembership } from '../ingest/group-membership.js';

const BATCH = 500;
/** How long a start or a reload waits for a database that goes away just then. */
const REGROUP_LIMIT_MS = 60_000;
/** One worker regroups at a time; the others find the work done. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('eyrie:regroup'))`;

const FIRING_AFTER = {
  name: 'regroup:firing',
  text: `SELECT id, labels, extract(epoch FROM starts_at)::float8 AS starts_at FROM alerts
         WHERE state = 'firing' AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE`,
};
const MEMBERSHIPS = {
  name: 'regroup:memberships',
  text: `SELECT group_id, alert_id FROM group_alerts WHERE alert_id = ANY($1::uuid[])`,
};
const LEAVE_OTHERS = {
  name: 'regroup:leave-others',
  text: `DELETE FROM group_alerts USING unnest($1::uuid[]) AS moved(alert_id)
         WHERE group_alerts.alert_id = moved.alert_id
           AND NOT EXISTS (SELECT FROM unnest($2::uuid[], $3::uuid[]) AS kept(group_id, alert_id)
                           WHERE kept.group_id = group_alerts.group_id AND kept.alert_id = group_alerts.alert_id)`,
};
const FORGET_INHIBITORS = { name: 'regroup:forget', text: `DELETE FROM inhibitors WHERE alert_id = ANY($1::uuid[])` };
const REMEMBER = {
  name: 'regroup:remember',
  text: `INSERT INTO alerts_config (hash) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET hash = excluded.hash`,
};

/**
 * After a change of the configuration, moves the firing alerts to the groups that the new one calls for. Which one they
 * are grouped by is kept in the database, so that a restart with a new file counts as a change too.
 */
@Injectable()
export class Regrouper implements OnApplicationBootstrap {
  private readonly logger = new Logger('Regrouper');

  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly membership: GroupMembership,
    private readonly clock: Clock,
    private readonly events: EventWrites,
    private readonly lifecycle: Lifecycle,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const patience = { limitMs: REGROUP_LIMIT_MS, signal: this.lifecycle.drainSignal };
    const regroup = (config: AlertsConfig) => untilAvailable(() => this.regroup(config), patience);
    await regroup(this.configs.config);
    this.configs.onReload(regroup);
  }

  private async regroup(config: AlertsConfig): Promise<void> {
    const [row] = await this.database.query<{ hash: string }>('SELECT hash FROM alerts_config');
    if (row?.hash === config.groupingHash) return;
    let moved = 0;
    let last: string | undefined = '00000000-0000-0000-0000-000000000000';
    while (last !== undefined) {
      // Writers lock the alerts in another order: against one of them it may lose, and then tries again.
      const batch = await retryTransient(() => this.database.transaction((tx) => this.moveBatch(tx, last!)));
      if (batch.moved > 0) this.events.committed();
      moved += batch.moved;
      last = batch.ids.length < BATCH ? undefined : batch.ids.at(-1);
    }
    await this.database.query(REMEMBER, [config.groupingHash]);
    if (moved > 0) this.logger.log(`${moved} firing alerts regrouped under the new configuration`);
  }

  /** Answers the ids of the alerts that it looked at, in order, and how many of them have joined other groups. */
  private async moveBatch(tx: Queryable, after: string): Promise<{ ids: string[]; moved: number }> {
    const now = this.clock.now();
    await tx.query(LOCK);
    const rows = await tx.query<{ id: string; labels: Labels; starts_at: number }>(FIRING_AFTER, [after, BATCH]);
    const ids = rows.map(({ id }) => id);
    if (ids.length === 0) return { ids, moved: 0 };
    await tx.query(FORGET_INHIBITORS, [ids]);
    const before = await tx.query<{ group_id: string; alert_id: string }>(MEMBERSHIPS, [ids]);
    const known = new Set(before.map(({ group_id, alert_id }) => `${group_id} ${alert_id}`));
    const joining = rows.map(({ id, labels, starts_at }) => ({ ref: id, labels, startsAt: starts_at * 1000 }));
    const groupsOf = await this.membership.join(tx, this.configs.routing, joining, now);
    const kept = [...groupsOf].flatMap(([alert, groups]) => groups.map((group) => [group, alert] as const));
    await tx.query(LEAVE_OTHERS, [ids, kept.map(([group]) => group), kept.map(([, alert]) => alert)]);
    const moved = [...groupsOf].filter(([alert, groups]) => groups.some((group) => !known.has(`${group} ${alert}`)));
    await appendEvents(tx, moved.map(regroupedEvent), now);
    return { ids, moved: moved.length };
  }
}

/** With the groups, by which the notifications of an alert are found. */
export function regroupedEvent([alertId, groups]: [string, string[]]): AlertEvent {
  return { alertId, type: 'regrouped', actor: 'system', data: { groups } };
}
