import { Injectable } from '@nestjs/common';
import { type Queryable } from 'eyrie/database';
import { type JoiningAlert, MembershipPlan } from './membership-plan.js';
import { type Routing } from './routing.js';
import { ADD_INHIBITORS, HASTEN_GROUPS, HOLD_GROUPS, JOIN_GROUPS } from './statements.js';

const MAX_ROUNDS = 5;

/**
 * Lets firing alerts join the groups that their routes call for, in the caller's transaction. The groups are held
 * against the reaper until it commits: an alert can never stand in a group that is gone.
 */
@Injectable()
export class GroupMembership {
  /** Answers the ids of each alert's groups; a `ref` is an alert's id here. */
  async join(
    tx: Queryable,
    routing: Routing,
    alerts: readonly JoiningAlert[],
    now: number,
  ): Promise<ReadonlyMap<string, string[]>> {
    const plan = new MembershipPlan(routing, alerts, now);
    if (alerts.length === 0) return plan.groupsOf;
    await this.hold(tx, plan, now);
    await tx.query(JOIN_GROUPS, plan.memberColumns);
    if (plan.hasInhibitors) await tx.query(ADD_INHIBITORS, plan.inhibitorColumns);
    await tx.query(HASTEN_GROUPS, [plan.dueNow, now / 1000]);
    return plan.groupsOf;
  }

  private async hold(tx: Queryable, plan: MembershipPlan, now: number): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const held = await tx.query(HOLD_GROUPS, [...plan.groupColumns, now / 1000]);
      if (held.length === plan.groups.size) return;
    }
    throw new Error('groups kept vanishing under the writer');
  }
}
