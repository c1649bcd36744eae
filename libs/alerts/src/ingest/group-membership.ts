import { Injectable } from '@nestjs/common';
import { type Queryable } from 'eyrie/database';
import { type Labels } from '../config/index.js';
import { type GroupRef, type Routing } from './routing.js';
import { ADD_INHIBITORS, HASTEN_GROUPS, HOLD_GROUPS, JOIN_GROUPS, WAKE } from './statements.js';

export interface JoiningAlert {
  readonly id: string;
  readonly labels: Labels;
  readonly startsAt: number;
}

interface DueGroup {
  readonly group: GroupRef;
  readonly at: number;
}

interface HeldRow {
  id: string;
  made: boolean;
  waiting: boolean;
}

/** A notice wakes the dispatcher only for what is due this soon; it finds the rest by itself, once a second. */
const WAKE_WITHIN_MS = 1_000;
const MAX_ROUNDS = 5;

/**
 * Lets firing alerts join the groups that their routes call for, in the caller's transaction. The groups are held
 * against the reaper until it commits: an alert can never stand in a group that is gone.
 */
@Injectable()
export class GroupMembership {
  /** Answers the ids of each alert's groups. */
  async join(
    tx: Queryable,
    routing: Routing,
    alerts: readonly JoiningAlert[],
    now: number,
  ): Promise<Map<string, string[]>> {
    const groupsOf = new Map<string, string[]>();
    if (alerts.length === 0) return groupsOf;
    const due = new Map<string, DueGroup>();
    const pairs: [group: string, alert: string][] = [];
    const inhibitors: [key: string, alert: string, twoSided: boolean][] = [];
    for (const alert of alerts) {
      const groups = routing.groupsOf(alert.labels);
      groupsOf.set(
        alert.id,
        groups.map(({ id }) => id),
      );
      for (const group of groups) {
        pairs.push([group.id, alert.id]);
        const at = Math.min(due.get(group.id)?.at ?? Infinity, dueAt(group, alert, now));
        due.set(group.id, { group, at });
      }
      for (const { key, twoSided } of routing.inhibitorsOf(alert.labels)) inhibitors.push([key, alert.id, twoSided]);
    }
    await this.hold(tx, [...due.values()], now);
    await tx.query(JOIN_GROUPS, [pairs.map(([group]) => group), pairs.map(([, alert]) => alert)]);
    if (inhibitors.length > 0) {
      await tx.query(
        ADD_INHIBITORS,
        [0, 1, 2].map((column) => inhibitors.map((row) => row[column])),
      );
    }
    return groupsOf;
  }

  private async hold(tx: Queryable, due: readonly DueGroup[], now: number): Promise<void> {
    const parameters = [
      due.map(({ group }) => group.id),
      due.map(({ group }) => group.key),
      due.map(({ group }) => group.route.id),
      due.map(({ group }) => JSON.stringify(group.labels)),
      due.map(({ at }) => at / 1000),
      now / 1000,
    ];
    let held = await tx.query<HeldRow>(HOLD_GROUPS, parameters);
    for (let round = 1; held.length < due.length; round++) {
      if (round === MAX_ROUNDS) throw new Error('groups kept vanishing under the writer');
      held = await tx.query<HeldRow>(HOLD_GROUPS, parameters);
    }
    const dueAtOnce = new Set(due.filter(({ at }) => at <= now).map(({ group }) => group.id));
    const hastened = held.filter(({ id, waiting }) => waiting && dueAtOnce.has(id)).map(({ id }) => id);
    if (hastened.length > 0) await tx.query(HASTEN_GROUPS, [hastened, now / 1000]);
    const soon = held.some(({ made }) => made) && due.some(({ at }) => at <= now + WAKE_WITHIN_MS);
    if (soon || hastened.length > 0) await tx.query(WAKE);
  }
}

/** Alertmanager flushes a new group at once when an alert has already fired for longer than group_wait. */
function dueAt({ route }: GroupRef, alert: JoiningAlert, now: number): number {
  return alert.startsAt + route.groupWaitMs <= now ? now : now + route.groupWaitMs;
}
