import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type AlertsConfigStore, AlertsModule, alertsSession } from 'eyrie/alerts';
import { AuthModule } from 'eyrie/auth';
import { type ProgramInfo, type Settings, SettingsModule } from 'eyrie/config';
import { DatabaseModule, type ResolvedDatabase } from 'eyrie/database';
import { HealthController, HealthModule } from 'eyrie/health';
import { LifecycleModule } from 'eyrie/lifecycle';
import { LoggingModule } from 'eyrie/logging';
import { AlertmanagerController } from './alertmanager/alertmanager.controller.js';
import { AlertsController, IntegrationsController } from './alerts/alerts.controller.js';
import { ReloadController } from './management/reload.controller.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { OutageInterceptor } from './outage.interceptor.js';
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
    const { environment } = settings;
    return {
      module: ApiModule,
      imports: [
        SettingsModule.forRoot(settings),
        LoggingModule.forRoot({ ...settings.logging, service: 'api', version: info.version, environment }),
        LifecycleModule.forRoot(settings.lifecycle),
        HealthModule.forRoot(),
        DatabaseModule.forRoot({
          ...settings.database,
          ...database,
          session: alertsSession,
          applicationName: 'eyrie-api',
        }),
        AuthModule.forRoot({ ...settings.auth, publicControllers: [HealthController] }),
        AlertsModule.forRoot({ ...settings.alerts, notify: settings.notify, version: info.version, configs }),
      ],
      controllers: [
        AlertsController,
        IntegrationsController,
        AlertmanagerController,
        NotificationsController,
        ReloadController,
      ],
      providers: [
        { provide: PROGRAM_INFO, useValue: info },
        { provide: APP_INTERCEPTOR, useClass: OutageInterceptor },
      ],
    };
  }
}
