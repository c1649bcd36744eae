import { type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  alertsCron,
  AlertsConfigStore,
  AlertsModule,
  alertsTasks,
  Clock,
  notifySettings,
  type NotifySettings,
} from 'eyrie/alerts';
import { loadSettings } from 'eyrie/config';
import { databaseSettings, DatabaseModule } from 'eyrie/database';
import { JobsModule, jobsSettings } from 'eyrie/jobs';
import { LifecycleModule, lifecycleSettings } from 'eyrie/lifecycle';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase } from './postgres.js';

/** A clock that stands still until it is moved. */
export class TestClock extends Clock {
  constructor(private time = Date.parse('2026-03-01T12:00:00Z')) {
    super();
  }

  now(): number {
    return this.time;
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}

export interface TestHub {
  app: INestApplicationContext;
  clock: TestClock;
  databaseUrl: string;
  /** Writes another configuration file; reloading it is the test's business. */
  configure(yaml: string): Promise<void>;
  close(): Promise<void>;
}

export interface TestHubOptions {
  config: string;
  /** Takes jobs and flushes by itself, as a worker does; default: the test calls what it wants. */
  running?: boolean;
  notify?: Partial<NotifySettings>;
}

const settings = loadSettings(
  { database: databaseSettings, jobs: jobsSettings, lifecycle: lifecycleSettings, notify: notifySettings },
  { env: { ENVIRONMENT: 'test' }, cwd: tmpdir() },
);

/** The hub without HTTP, on a database of its own, with a clock that the test moves. */
export async function testHub({ config, running = false, notify }: TestHubOptions): Promise<TestHub> {
  const database = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'eyrie-hub-'));
  const configFile = join(directory, 'alertmanager.yml');
  await writeFile(configFile, config);
  const clock = new TestClock();
  const options = { configFile, externalUrl: 'http://hub.test', retentionMs: 90 * 86_400_000 };
  const module = await Test.createTestingModule({
    imports: [
      LifecycleModule.forRoot(settings.lifecycle),
      DatabaseModule.forRoot({ ...settings.database, url: database.url }),
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
  return {
    app,
    clock,
    databaseUrl: database.url,
    configure: (yaml) => writeFile(configFile, yaml),
    async close() {
      await app.close();
      await rm(directory, { recursive: true });
      await database.drop();
    },
  };
}
