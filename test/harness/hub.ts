import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  alertsCron,
  AlertsConfigStore,
  AlertsModule,
  AlertsService,
  alertsTasks,
  Clock,
  type Labels,
  notifySettings,
  type NotificationPayload,
  type NotifySettings,
} from 'eyrie/alerts';
import { CacheModule, cacheSettings } from 'eyrie/cache';
import { loadSettings } from 'eyrie/config';
import { Database, databaseSettings, DatabaseModule } from 'eyrie/database';
import { JobsModule, jobsSettings } from 'eyrie/jobs';
import { LifecycleModule, lifecycleSettings } from 'eyrie/lifecycle';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeliverNotificationHandler } from '../../libs/alerts/src/deliver/deliver-notification.handler.js';
import { FlushPass } from '../../libs/alerts/src/dispatch/flush.js';
import { testDatabase } from './postgres.js';

/** When the clock of every test starts: a Sunday, before the date of any machine, so that the queue finds due what it calls due. */
export const START = Date.parse('2020-03-01T12:00:00Z');

/** A clock that stands still until it is moved. */
export class TestClock extends Clock {
  private time = START;

  now(): number {
    return this.time;
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }

  reset(): void {
    this.time = START;
  }
}

/** Alertmanager's postableAlert, with times as the clock gives them. */
export interface PostableAlert {
  labels: Labels;
  annotations?: Labels;
  startsAt?: number;
  endsAt?: number;
}

/** How long an alert that {@link TestHub.fire} posts goes on without being sent again. */
const FIRES_FOR_MS = 7 * 86_400_000;
const DELIVERY_LIMIT = 1_000;

export interface TestHubOptions {
  config: string;
  /** The file with escalations; default: none. */
  escalations?: string;
  /** Takes jobs and flushes by itself, as a worker does; default: the test calls what it wants. */
  running?: boolean;
  notify?: Partial<NotifySettings>;
  /** Another hub on the same database, which then belongs to that one. */
  beside?: TestHub;
}

const settings = loadSettings(
  {
    cache: cacheSettings,
    database: databaseSettings,
    jobs: jobsSettings,
    lifecycle: lifecycleSettings,
    notify: notifySettings,
  },
  { env: { ENVIRONMENT: 'test' }, cwd: tmpdir() },
);

/**
 * The hub without HTTP, on a database of its own, with a clock that the test moves.
 *
 * @example
 * const hub = await testHub({ config });
 * await hub.fire({ alertname: 'Down' });
 * hub.clock.advance(30_000);
 * await hub.flush();
 * expect(await hub.told()).toEqual(['30s team: Down (first notification)']);
 */
export async function testHub({
  config,
  escalations,
  running = false,
  notify,
  beside,
}: TestHubOptions): Promise<TestHub> {
  const database = beside ? { url: beside.databaseUrl, drop: () => Promise.resolve() } : await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'eyrie-hub-'));
  const configFile = join(directory, 'alertmanager.yml');
  await writeFile(configFile, config);
  const escalationsFile = escalations === undefined ? undefined : join(directory, 'escalations.yml');
  if (escalationsFile) await writeFile(escalationsFile, escalations!);
  const clock = beside?.clock ?? new TestClock();
  const options = {
    configFile,
    escalationsFile,
    externalUrl: 'http://hub.test',
    retentionMs: 90 * 86_400_000,
    healthAlerts: false,
  };
  const module = await Test.createTestingModule({
    imports: [
      LifecycleModule.forRoot(settings.lifecycle),
      DatabaseModule.forRoot({ ...settings.database, url: database.url }),
      CacheModule.forRoot(settings.cache),
      JobsModule.forWorker({
        ...settings.jobs,
        url: database.url,
        tasks: alertsTasks,
        cron: alertsCron,
        stopTimeoutMs: 5_000,
      }),
      AlertsModule.forWorker({
        ...options,
        notify: { ...settings.notify, ...notify },
        version: '0.0.0',
        configs: await AlertsConfigStore.load(options),
        clock,
      }),
    ],
  }).compile();
  const app = running ? await module.init() : module;
  const close = async () => {
    await app.close();
    await rm(directory, { recursive: true });
    await database.drop();
  };
  return new TestHub(app, clock, database.url, configFile, close);
}

/** A hub and what tests do with it. */
export class TestHub {
  /** Since when what {@link fire} posted fires. */
  private readonly firing = new Map<string, number>();

  constructor(
    readonly app: INestApplicationContext,
    readonly clock: TestClock,
    readonly databaseUrl: string,
    private readonly configFile: string,
    readonly close: () => Promise<void>,
  ) {}

  get<T>(type: Type<T>): T {
    return this.app.get(type, { strict: false });
  }

  query<Row = Record<string, unknown>>(text: string, parameters?: unknown[]): Promise<Row[]> {
    return this.get(Database).query<Row>(text, parameters);
  }

  /** Writes another configuration file; reloading it is the test's business. */
  async configure(yaml: string): Promise<void> {
    await writeFile(this.configFile, yaml);
  }

  async reload(yaml: string): Promise<void> {
    await this.configure(yaml);
    await this.get(AlertsConfigStore).reload();
  }

  /** Takes alerts in as `POST /api/v2/alerts` does; a fault is the test's. */
  async post(...alerts: PostableAlert[]): Promise<void> {
    const time = (at: number | undefined) => at && new Date(at).toISOString();
    const body = alerts.map((alert) => ({ ...alert, startsAt: time(alert.startsAt), endsAt: time(alert.endsAt) }));
    const parsed = this.get(AlertsService).parse(body);
    if (parsed.faults.length > 0) throw new Error(JSON.stringify(parsed.faults));
    await this.get(AlertsService).receive(parsed.alerts, 'test');
  }

  /** Posts that these alerts fire, as Prometheus does: with the same start until they are resolved. */
  async fire(...alerts: Labels[]): Promise<void> {
    const now = this.clock.now();
    await this.post(
      ...alerts.map((labels) => {
        const key = JSON.stringify(labels);
        if (!this.firing.has(key)) this.firing.set(key, now);
        return { labels, startsAt: this.firing.get(key)!, endsAt: now + FIRES_FOR_MS };
      }),
    );
  }

  /** Posts the end of alerts that were {@link fire}d. */
  async resolve(...alerts: Labels[]): Promise<void> {
    await this.post(
      ...alerts.map((labels) => {
        const startsAt = this.firing.get(JSON.stringify(labels));
        this.firing.delete(JSON.stringify(labels));
        return { labels, startsAt, endsAt: this.clock.now() };
      }),
    );
  }

  /** Flushes groups until none is due. */
  async flush(): Promise<void> {
    while ((await this.get(FlushPass).run()) > 0);
  }

  /** Moves the clock in steps of a second, or as told, and flushes after each: what a dispatcher would do meanwhile. */
  async pass(milliseconds: number, step = 1_000): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += step) {
      this.clock.advance(Math.min(step, milliseconds - passed));
      await this.flush();
    }
  }

  /** Takes the delivery jobs that are due until there are none; answers how many. */
  async deliver(): Promise<number> {
    const handler = this.get(DeliverNotificationHandler);
    for (let count = 0; count < DELIVERY_LIMIT;) {
      // A job without a time of its own gets that of its creation.
      const jobs = await this.query<{ id: string; data: { id: string } }>(
        `DELETE FROM graphile_worker._private_jobs WHERE run_at = created_at OR run_at <= to_timestamp($1)
         RETURNING id::text, payload->'data' AS data`,
        [this.clock.now() / 1000],
      );
      if (jobs.length === 0) return count;
      const { signal } = new AbortController();
      await Promise.all(jobs.map(({ id, data }) => handler.handle(data, { id, attempt: 1, signal })));
      count += jobs.length;
    }
    throw new Error(`deliveries did not come to an end within ${DELIVERY_LIMIT} jobs`);
  }

  /** The notifications, the earliest first: `30s team: Up Down, resolved Slow (new alerts added)`. */
  async told(): Promise<string[]> {
    const rows = await this.query<{ at: number; receiver: string; payload: NotificationPayload }>(
      `SELECT extract(epoch FROM created_at)::float8 AS at, receiver, payload FROM notifications
       ORDER BY created_at, receiver, payload->>'groupKey', id`,
    );
    return rows.map(({ at, receiver, payload }) => {
      const names = (status: string) =>
        payload.alerts.filter((alert) => alert.status === status).map(({ labels }) => labels['alertname'] ?? '?');
      const [firing, resolved] = [names('firing'), names('resolved')];
      const parts = [firing.join(' '), resolved.length > 0 ? `resolved ${resolved.join(' ')}` : ''];
      const reason = payload.notification_reason ?? 'no reason';
      return `${at - START / 1000}s ${receiver}: ${parts.filter(Boolean).join(', ')} (${reason})`;
    });
  }

  /** Forgets everything and starts the clock again: for the next test of a file. */
  async clear(): Promise<void> {
    this.firing.clear();
    this.clock.reset();
    await this.query(
      `TRUNCATE alerts, alert_events, alert_groups, group_alerts, inhibitors, notification_log, notifications,
         notification_attempts, alerts_config, alert_snoozes, escalations, heartbeats, audit_log, receiver_health, receiver_tests,
         graphile_worker._private_jobs`,
    );
  }
}
