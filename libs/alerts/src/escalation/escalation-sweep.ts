import { Injectable } from '@nestjs/common';
import { Database, type Queryable } from 'eyrie/database';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { type Labels } from '../config/index.js';
import { type Member } from '../dispatch/member.js';
import { type Notice, Notices } from './notices.js';
import { dueAt } from './schedule.js';
import { ALERTS, ENDED, ENROL, FORGET, TRY_SWEEP, UNSEEN } from './statements.js';

const MAX_BATCH = 1_000;

interface UnseenRow {
  id: string;
  labels: Labels;
  /** In seconds. */
  since: number;
}

interface EndedRow {
  alert_id: string;
  name: string | null;
  told: string[];
}

/**
 * Finds the alerts for which an escalation is meant, and those whose escalation is over. The way in knows nothing of
 * escalations and pays nothing for them: what was missed is found by the next sweep, and a step is due by the time at which
 * the alert fired, not at which it was found.
 */
@Injectable()
export class EscalationSweep {
  constructor(
    private readonly database: Database,
    private readonly configs: AlertsConfigStore,
    private readonly notices: Notices,
    private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    while ((await this.alone((tx) => this.end(tx, now))) === MAX_BATCH);
    if (this.configs.escalations.all.length === 0) return;
    while ((await this.alone((tx) => this.enrol(tx, now))) === MAX_BATCH);
  }

  /** Nothing is left to do where another worker is at it. */
  private alone(work: (tx: Queryable) => Promise<number>): Promise<number> {
    return this.database.transaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>(TRY_SWEEP);
      return lock!.mine ? work(tx) : 0;
    });
  }

  private async enrol(tx: Queryable, now: number): Promise<number> {
    const { escalations } = this.configs;
    const unseen = await tx.query<UnseenRow>(UNSEEN, [now / 1000, escalations.hash, MAX_BATCH]);
    if (unseen.length === 0) return 0;
    const found = unseen.map(({ id, labels, since }) => ({ id, since, escalation: escalations.for(labels) }));
    await tx.query(ENROL, [
      found.map(({ id }) => id),
      found.map(({ escalation }) => escalation?.name),
      found.map(({ since }) => since),
      found.map(({ escalation, since }) => escalation && dueAt(escalation, since * 1000, 0)! / 1000),
      escalations.hash,
    ]);
    return unseen.length;
  }

  /** Whoever was told that the alert fires is told that it is over, even where it is muted: they may be on their way. */
  private async end(tx: Queryable, now: number): Promise<number> {
    const ended = await tx.query<EndedRow>(ENDED, [now / 1000, MAX_BATCH]);
    if (ended.length === 0) return 0;
    const telling = ended.filter(({ told }) => told.length > 0);
    if (telling.length > 0) {
      const members = await tx.query<Member>(ALERTS, [telling.map(({ alert_id }) => alert_id), now / 1000]);
      const byId = new Map(members.map((member) => [member.id, { ...member, state: 'resolved' as const }]));
      const notices = telling.flatMap(({ alert_id, name, told }): Notice[] => {
        const member = byId.get(alert_id);
        if (!member) return [];
        const reason = 'all alerts resolved';
        return told.map((receiver) => ({ escalation: name ?? '', member, receiver, reason }));
      });
      await this.notices.send(tx, notices, now);
    }
    await tx.query(FORGET, [ended.map(({ alert_id }) => alert_id)]);
    return ended.length;
  }
}
