import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { type IncomingAlert, NAME_LABEL } from '../alert.js';
import { Clock } from '../clock.js';
import { matchesAll, type Matcher, parseMatchers } from '../config/index.js';
import { HEARTBEAT_ALERT } from './heartbeat.js';
import { BEAT, HEARTBEATS_CHANGED, WITH_MATCHERS } from './statements.js';

/** A beat that follows so soon tells nothing new. */
const MIN_APART_MS = 250;
/** For a change whose notice was lost. */
const REFRESH_MS = 60_000;

interface Watchdog {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  beatAt: number;
}

/**
 * Heartbeats that an alert keeps alive by firing, such as Prometheus' Watchdog. What matches is held in memory: while no
 * heartbeat has matchers an incoming alert costs nothing.
 */
@Injectable()
export class Watchdogs implements OnApplicationBootstrap {
  private readonly logger = new Logger('Watchdogs');
  private watchdogs: readonly Watchdog[] = [];

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
  ) {}

  get any(): boolean {
    return this.watchdogs.length > 0;
  }

  async onApplicationBootstrap(): Promise<void> {
    const unlisten = await this.database.listen(HEARTBEATS_CHANGED, () => this.refreshQuietly());
    const timer = setInterval(() => this.refreshQuietly(), REFRESH_MS).unref();
    this.lifecycle.onStop('watchdogs', async () => {
      clearInterval(timer);
      await unlisten();
    });
    this.refreshQuietly();
  }

  async refresh(): Promise<void> {
    const rows = await this.database.query<{ name: string; matchers: string[] }>(WITH_MATCHERS);
    this.watchdogs = rows.map(({ name, matchers }) => ({
      name,
      matchers: matchers.flatMap((text) => parseMatchers(text)),
      beatAt: -Infinity,
    }));
  }

  /** Counts the firing ones among committed alerts as beats. They are stored whatever becomes of the beat. */
  async observe(alerts: readonly IncomingAlert[]): Promise<void> {
    const now = this.clock.now();
    const beating = this.watchdogs.filter(
      ({ beatAt, matchers }) => now - beatAt >= MIN_APART_MS && alerts.some((alert) => isBeat(alert, matchers, now)),
    );
    if (beating.length === 0) return;
    for (const watchdog of beating) watchdog.beatAt = now;
    try {
      await this.database.query(BEAT, [beating.map(({ name }) => name), now / 1000]);
    } catch (error) {
      for (const watchdog of beating) watchdog.beatAt = -Infinity;
      this.logger.warn({ err: error }, 'a beat was lost; the next one counts');
    }
  }

  private refreshQuietly(): void {
    this.refresh().catch((error: unknown) => {
      this.logger.warn(
        { err: error },
        'the matchers of heartbeats could not be read; those that are known stay in force',
      );
    });
  }
}

/** That a heartbeat is missing keeps none alive. */
function isBeat({ labels, endsAt }: IncomingAlert, matchers: readonly Matcher[], now: number): boolean {
  return endsAt > now && labels[NAME_LABEL] !== HEARTBEAT_ALERT && matchesAll(matchers, labels);
}
