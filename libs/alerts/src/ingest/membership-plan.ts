import { type Labels } from '../config/index.js';
import { type GroupRef, type Routing } from './routing.js';

/** An alert that is to join its groups; `ref` is whatever the caller knows it by. */
export interface JoiningAlert {
  readonly ref: string;
  readonly labels: Labels;
  readonly startsAt: number;
}

/** Which groups alerts join, and which inhibit rules they are a source of, as columns for SQL. Times in milliseconds. */
export class MembershipPlan {
  readonly groups = new Map<string, { group: GroupRef; dueAt: number }>();
  readonly groupsOf = new Map<string, string[]>();
  private readonly members: { ref: string; group: string }[] = [];
  private readonly inhibitors: { ref: string; key: string; twoSided: boolean }[] = [];

  constructor(
    routing: Routing,
    alerts: readonly JoiningAlert[],
    private readonly now: number,
  ) {
    for (const { ref, labels, startsAt } of alerts) {
      const groups = routing.groupsOf(labels);
      for (const group of groups) this.add(ref, group, startsAt);
      this.groupsOf.set(
        ref,
        groups.map(({ id }) => id),
      );
      for (const inhibitor of routing.inhibitorsOf(labels)) this.inhibitors.push({ ref, ...inhibitor });
    }
  }

  /** Ids of the groups that an alert wants to be flushed now. */
  get dueNow(): string[] {
    return [...this.groups].filter(([, { dueAt }]) => dueAt <= this.now).map(([id]) => id);
  }

  /** id, key, route, labels, due. */
  get groupColumns(): unknown[] {
    const wanted = [...this.groups.values()];
    return [
      wanted.map(({ group }) => group.id),
      wanted.map(({ group }) => group.key),
      wanted.map(({ group }) => group.route.id),
      wanted.map(({ group }) => JSON.stringify(group.labels)),
      wanted.map(({ dueAt }) => dueAt / 1000),
    ];
  }

  /** group, alert. */
  get memberColumns(): unknown[] {
    return [this.members.map(({ group }) => group), this.members.map(({ ref }) => ref)];
  }

  /** key, alert, two-sided. */
  get inhibitorColumns(): unknown[] {
    return [
      this.inhibitors.map(({ key }) => key),
      this.inhibitors.map(({ ref }) => ref),
      this.inhibitors.map(({ twoSided }) => twoSided),
    ];
  }

  get hasInhibitors(): boolean {
    return this.inhibitors.length > 0;
  }

  private add(ref: string, group: GroupRef, startsAt: number): void {
    this.members.push({ ref, group: group.id });
    const { groupWaitMs } = group.route;
    // Alertmanager flushes a new group at once when an alert has already fired for longer than group_wait.
    const dueAt = startsAt + groupWaitMs <= this.now ? this.now : this.now + groupWaitMs;
    const known = this.groups.get(group.id);
    if (!known || dueAt < known.dueAt) this.groups.set(group.id, { group, dueAt });
  }
}
