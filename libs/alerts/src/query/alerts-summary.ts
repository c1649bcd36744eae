import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Cache } from 'eyrie/cache';
import { Database } from 'eyrie/database';
import { type AlertState } from '../alert.js';
import { alertsActive, notificationsHeld } from '../alerts.metrics.js';
import { Clock } from '../clock.js';

/** How many there are of what. */
export interface HubSummary {
  /** Firing alerts by severity, the most frequent first; an alert without one has the severity "". */
  alerts: { state: AlertState; severity: string; count: number }[];
  /** Notifications that are under way or were given up. */
  notifications: Record<'waiting' | 'pending' | 'dead', number>;
}

const MOST_SEVERITIES = 20;
const FRESH_MS = 5_000;

const ALERTS = `
  SELECT severity, count(*)::int AS count FROM alerts WHERE state = 'firing' AND ends_at > to_timestamp($1)
  GROUP BY severity ORDER BY count DESC, severity`;
const NOTIFICATIONS = `
  SELECT state, count(*)::int AS count FROM notifications WHERE state IN ('waiting', 'pending', 'dead') GROUP BY state`;

/** Counts, for dashboards and metrics: at most five seconds old, and counted once for all processes that share a cache. */
@Injectable()
export class AlertsSummary implements OnApplicationShutdown {
  private readonly forget: (() => void)[];

  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly clock: Clock,
  ) {
    this.forget = [
      alertsActive.collectFrom(async () =>
        (await this.get()).alerts.map(({ state, severity, count }) => ({ labels: { state, severity }, value: count })),
      ),
      notificationsHeld.collectFrom(async () =>
        Object.entries((await this.get()).notifications).map(([state, value]) => ({ labels: { state }, value })),
      ),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.forget) end();
  }

  get(): Promise<HubSummary> {
    return this.cache.getOrLoad('alerts-summary', 'all', { ttlMs: FRESH_MS }, () => this.count());
  }

  private async count(): Promise<HubSummary> {
    const [severities, states] = await Promise.all([
      this.database.query<{ severity: string; count: number }>(ALERTS, [this.clock.now() / 1000]),
      this.database.query<{ state: string; count: number }>(NOTIFICATIONS),
    ]);
    const rare = severities.slice(MOST_SEVERITIES).reduce((sum, { count }) => sum + count, 0);
    const shown = severities.slice(0, MOST_SEVERITIES);
    if (rare > 0) shown.push({ severity: 'other', count: rare });
    return {
      alerts: shown.map((each) => ({ state: 'firing', ...each })),
      notifications: {
        ...{ waiting: 0, pending: 0, dead: 0 },
        ...Object.fromEntries(states.map(({ state, count }) => [state, count])),
      },
    };
  }
}
