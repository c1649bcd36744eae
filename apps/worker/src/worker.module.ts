import { type DynamicModule, Module } from '@nestjs/common';
import { alertsCron, type AlertsConfigStore, AlertsModule, alertsSession, alertsTasks } from 'eyrie/alerts';
import { standardModules } from 'eyrie/app';
import { AuthModule, monitoringAccess } from 'eyrie/auth';
import { CacheModule } from 'eyrie/cache';
import { type ProgramInfo, type Settings } from 'eyrie/config';
import { DatabaseModule, type ResolvedDatabase } from 'eyrie/database';
import { JobsModule } from 'eyrie/jobs';
import { LoggersController } from 'eyrie/logging';
import { RealtimeModule } from 'eyrie/realtime';
import { AnnounceWrites } from './announce-writes.js';
import { type workerSlices } from './settings.js';

export interface WorkerOptions {
  settings: Settings<typeof workerSlices>;
  database: ResolvedDatabase;
  configs: AlertsConfigStore;
  info: ProgramInfo;
}

/** The side of the hub that acts: flushes groups, delivers notifications, tidies up. It serves what tells how it is. */
@Module({})
export class WorkerModule {
  static forRoot({ settings, database, configs, info }: WorkerOptions): DynamicModule {
    const { lifecycle } = settings;
    return {
      module: WorkerModule,
      imports: [
        ...standardModules({ service: 'worker', settings, info, monitoring: true }),
        DatabaseModule.forRoot({
          ...settings.database,
          ...database,
          session: alertsSession,
          applicationName: 'eyrie-worker',
        }),
        CacheModule.forRoot(settings.cache),
        JobsModule.forWorker({
          ...settings.jobs,
          url: database.url,
          tasks: alertsTasks,
          cron: alertsCron,
          // What remains is for the drain delay before, and for what closes after the jobs.
          stopTimeoutMs: lifecycle.shutdownTimeoutMs / 2,
        }),
        AuthModule.forRoot({ ...settings.auth, libraryControllers: monitoringAccess }),
        AlertsModule.forWorker({
          ...settings.alerts,
          service: 'worker',
          version: info.version,
          notify: settings.notify,
          concurrency: settings.jobs.concurrency,
          configs,
        }),
        RealtimeModule.forWriters(),
      ],
      controllers: [LoggersController],
      providers: [AnnounceWrites],
    };
  }
}
