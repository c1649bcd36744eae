import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { attemptsInFlight, notificationsPostponed } from '../alerts.metrics.js';
import { ALERTS_OPTIONS, type AlertsOptions } from '../alerts.config.js';
import { Clock } from '../clock.js';
import { Bulkhead } from './bulkhead.js';
import { integrationLabels } from './integration-labels.js';
import { Notifiers } from './notifiers.js';
import { CLAIM_PROBE } from './statements.js';
import { Turns } from './turns.js';

/** A notification that asks to be sent. Times in milliseconds. */
export interface Applicant {
  readonly receiver: string;
  readonly integration: string;
  /** Until when the circuit of its integration is open; in the past: somebody may try. */
  readonly openUntil?: number | undefined;
  /** Somebody does, and the outcome will be known soon. */
  readonly probing: boolean;
  /** When it is given up: its last attempt is made whatever the circuit says. */
  readonly deadline: number;
  /** It has had its turn under the rate. */
  readonly inTurn: boolean;
}

/** The attempt may be made, and `leave` has to be called after it, or the notification comes back at `until`. */
export type Admission =
  { admitted: true; probe: boolean; leave: () => void } | { admitted: false; until: number; inTurn: boolean };

/** JOBS_CONCURRENCY unless the worker says otherwise. */
const DEFAULT_CONCURRENCY = 100;
/** The least time for which a notification is put back: the queue looks for due jobs every two seconds. */
const AWAY_MS = 1_000;
/** Notifications of one integration that were put back return one after the other within this time. */
const RETURN_WITHIN_MS = 30_000;
/** Between two that return when a circuit may close. */
const RETURN_EVERY_MS = 10;
/** What a probe may take beyond the time limit of an attempt before another one is made. */
const PROBE_GRACE_MS = 5_000;

/** Decides whether an attempt is made now: by the circuit of the integration, its rate, and its share of this process. */
@Injectable()
export class Admissions implements OnApplicationShutdown {
  private readonly bulkhead: Bulkhead;
  /** When the next of an integration that is put back returns. */
  private readonly returns = new Map<string, { earliest: number; next: number }>();
  private readonly forget: () => void;

  constructor(
    private readonly database: Database,
    private readonly turns: Turns,
    private readonly notifiers: Notifiers,
    private readonly clock: Clock,
    @Inject(ALERTS_OPTIONS) options: Pick<AlertsOptions, 'notify'> & { concurrency?: number },
  ) {
    const { notify, concurrency = DEFAULT_CONCURRENCY } = options;
    this.bulkhead = new Bulkhead({
      concurrency,
      share: notify.perReceiver ?? Math.max(1, Math.floor(concurrency / 4)),
    });
    this.forget = attemptsInFlight.collectFrom(() =>
      [...this.bulkhead.running].map(([key, value]) => ({ labels: integrationLabels(key), value })),
    );
  }

  onApplicationShutdown(): void {
    this.forget();
  }

  async admit(applicant: Applicant): Promise<Admission> {
    const { integration, openUntil, probing, deadline } = applicant;
    const now = this.clock.now();
    const minds = openUntil !== undefined && now < deadline;
    if (minds && openUntil > now) return this.leftAlone(applicant, probing ? now + AWAY_MS : openUntil);
    const turn = applicant.inTurn ? undefined : await this.turns.next(applicant.receiver, integration);
    if (turn !== undefined) return this.postpone(applicant, 'rate', turn, true);
    const leave = await this.bulkhead.enter(integration);
    if (!leave) {
      const until = this.returnOf(integration, now + AWAY_MS, this.bulkhead.turnMs(integration));
      return this.postpone(applicant, 'share', until, true);
    }
    if (!minds) return { admitted: true, probe: false, leave };
    const patience = this.notifiers.timeoutOf(integration) + PROBE_GRACE_MS;
    const mayTry = await this.claimProbe(integration, now, now + patience).catch((error: unknown) => {
      leave();
      throw error;
    });
    if (mayTry) return { admitted: true, probe: true, leave };
    leave();
    return this.leftAlone(applicant, now + AWAY_MS);
  }

  private leftAlone(applicant: Applicant, from: number): Admission {
    const until = this.returnOf(applicant.integration, from, RETURN_EVERY_MS);
    return this.postpone(applicant, 'circuit', Math.min(until, applicant.deadline), false);
  }

  private postpone(
    { integration }: Applicant,
    reason: 'circuit' | 'rate' | 'share',
    until: number,
    inTurn: boolean,
  ): Admission {
    notificationsPostponed.inc({ ...integrationLabels(integration), reason });
    return { admitted: false, until, inTurn };
  }

  /** One after the other, or all would come back at the same moment, only to be turned away again. */
  private returnOf(integration: string, earliest: number, apartMs: number): number {
    const line = this.returns.get(integration);
    const fits = line && line.earliest <= earliest && line.next >= earliest && line.next <= earliest + RETURN_WITHIN_MS;
    const time = fits ? line.next : earliest;
    this.returns.set(integration, { earliest, next: time + apartMs });
    return time;
  }

  private async claimProbe(integration: string, now: number, until: number): Promise<boolean> {
    const rows = await this.database.query(CLAIM_PROBE, [integration, now / 1000, until / 1000]);
    return rows.length > 0;
  }
}
