import { type DynamicModule, Module } from '@nestjs/common';
import { alertsCron, type AlertsConfigStore, AlertsModule, alertsSession, alertsTasks } from 'eyrie/alerts';
import { type Settings, SettingsModule } from 'eyrie/config';
import { DatabaseModule, type ResolvedDatabase } from 'eyrie/database';
import { HealthModule } from 'eyrie/health';
import { JobsModule } from 'eyrie/jobs';
import { LifecycleModule } from 'eyrie/lifecycle';
import { LoggingModule } from 'eyrie/logging';
import { type workerSlices } from './settings.js';

export interface WorkerOptions {
  settings: Settings<typeof workerSlices>;
  database: ResolvedDatabase;
  configs: AlertsConfigStore;
  version: string;
}

/** The side of the hub that acts: flushes groups, delivers notifications, tidies up. It serves its health, nothing else. */
@Module({})
export class WorkerModule {
  static forRoot({ settings, database, configs, version }: WorkerOptions): DynamicModule {
    const { environment, lifecycle } = settings;
    return {
      module: WorkerModule,
      imports: [
        SettingsModule.forRoot(settings),
        LoggingModule.forRoot({ ...settings.logging, service: 'worker', version, environment }),
        LifecycleModule.forRoot(lifecycle),
        HealthModule.forRoot(),
        DatabaseModule.forRoot({
          ...settings.database,
          ...database,
          session: alertsSession,
          applicationName: 'eyrie-worker',
        }),
        JobsModule.forWorker({
          ...settings.jobs,
          url: database.url,
          tasks: alertsTasks,
          cron: alertsCron,
          // What remains is for the drain delay before, and for what closes after the jobs.
          stopTimeoutMs: lifecycle.shutdownTimeoutMs / 2,
        }),
        AlertsModule.forWorker({ ...settings.alerts, notify: settings.notify, version, configs }),
      ],
    };
  }
}
