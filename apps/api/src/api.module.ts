import { type DynamicModule, Module } from '@nestjs/common';
import { type AlertsConfigStore, AlertsModule, alertsSession } from 'eyrie/alerts';
import { standardModules } from 'eyrie/app';
import { AuthModule, monitoringAccess } from 'eyrie/auth';
import { CacheModule } from 'eyrie/cache';
import { type ProgramInfo, type Settings } from 'eyrie/config';
import { Database, DatabaseModule, type ResolvedDatabase } from 'eyrie/database';
import { JobsModule } from 'eyrie/jobs';
import { LoggersController } from 'eyrie/logging';
import { RealtimeModule } from 'eyrie/realtime';
import { AlertmanagerController } from './alertmanager/alertmanager.controller.js';
import { AlertmanagerSilencesController } from './alertmanager/alertmanager-silences.controller.js';
import { AlertsController, IntegrationsController } from './alerts/alerts.controller.js';
import { authControllers } from './auth/index.js';
import { AlertEventFeed } from './events/alert-event-feed.js';
import { AnnounceWrites } from './events/announce-writes.js';
import { EventsController } from './events/events.controller.js';
import { HeartbeatsController } from './heartbeats/heartbeats.controller.js';
import { ReloadController } from './management/reload.controller.js';
import { AlertActionsController } from './people/alert-actions.controller.js';
import { AuditController } from './people/audit.controller.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { SilencesController } from './silences/silences.controller.js';
import { ReceiversController } from './receivers/receivers.controller.js';
import { PROGRAM_INFO } from './program-info.js';
import { type apiSlices } from './settings.js';

export interface ApiOptions {
  settings: Settings<typeof apiSlices>;
  database: ResolvedDatabase;
  configs: AlertsConfigStore;
  info: ProgramInfo;
}

/** The HTTP side of the hub. */
@Module({})
export class ApiModule {
  static forRoot({ settings, database, configs, info }: ApiOptions): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        ...standardModules({ service: 'api', settings, info, monitoring: true }),
        DatabaseModule.forRoot({
          ...settings.database,
          ...database,
          session: alertsSession,
          applicationName: 'eyrie-api',
        }),
        CacheModule.forRoot(settings.cache),
        JobsModule.forRoot({ ...settings.jobs, url: database.url }),
        AuthModule.forRoot({ ...settings.auth, libraryControllers: monitoringAccess }),
        AlertsModule.forRoot({
          ...settings.alerts,
          service: 'api',
          version: info.version,
          notify: settings.notify,
          configs,
        }),
        RealtimeModule.forRoot({
          ...settings.realtime,
          corsOrigins: settings.server.corsOrigins,
          feed: {
            useFactory: (db: Database) => new AlertEventFeed(db, settings.alerts.retentionMs),
            inject: [Database],
          },
        }),
      ],
      controllers: [
        ...authControllers,
        AlertsController,
        IntegrationsController,
        AlertmanagerController,
        AlertmanagerSilencesController,
        SilencesController,
        AlertActionsController,
        HeartbeatsController,
        AuditController,
        NotificationsController,
        ReceiversController,
        EventsController,
        ReloadController,
        LoggersController,
      ],
      providers: [{ provide: PROGRAM_INFO, useValue: info }, AnnounceWrites],
    };
  }
}
