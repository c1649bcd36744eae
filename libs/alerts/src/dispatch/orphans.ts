import { Injectable } from '@nestjs/common';
import { type Queryable } from 'eyrie/database';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { appendEvents } from '../ingest/alert-writer.js';
import { GroupMembership } from '../ingest/group-membership.js';
import { type ClaimedGroup, type Member } from './member.js';
import { regroupedEvent } from './regrouper.js';
import { LEAVE_GROUPS } from './statements.js';

/**
 * Groups whose route the configuration no longer has, or has not yet (an api with an older or newer file made them).
 * Their firing alerts move to where the configuration in force puts them; nothing is lost between two versions of a file.
 */
@Injectable()
export class Orphans {
  constructor(
    private readonly membership: GroupMembership,
    private readonly configs: AlertsConfigStore,
  ) {}

  /** Answers how many events the histories of alerts have got. */
  async adopt(
    tx: Queryable,
    groups: readonly ClaimedGroup[],
    members: ReadonlyMap<string, readonly Member[]>,
    now: number,
  ): Promise<number> {
    const orphans = groups.flatMap(({ id }) => members.get(id) ?? []);
    if (orphans.length === 0) return 0;
    const joining = orphans
      .filter(({ state }) => state === 'firing')
      .map(({ id, labels, starts_at }) => ({ ref: id, labels, startsAt: starts_at * 1000 }));
    const groupsOf = await this.membership.join(tx, this.configs.routing, joining, now);
    await appendEvents(tx, [...groupsOf].map(regroupedEvent), now);
    await tx.query(LEAVE_GROUPS, [orphans.map(({ group_id }) => group_id), orphans.map(({ id }) => id)]);
    return groupsOf.size;
  }
}
