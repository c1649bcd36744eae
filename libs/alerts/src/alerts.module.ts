import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { JobsModule } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from './alerts.config.js';
import { ConfigReloads } from './config-reloads.js';
import { AlertsConfigStore } from './alerts-config.store.js';
import { AlertsService } from './alerts.service.js';
import { Clock, SystemClock } from './clock.js';
import { DeliverNotificationHandler } from './deliver/deliver-notification.handler.js';
import { DeadLetters } from './deliver/dead-letters.js';
import { Notifiers } from './deliver/notifiers.js';
import { Settlement } from './deliver/settlement.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { FlushPass } from './dispatch/flush.js';
import { Orphans } from './dispatch/orphans.js';
import { Regrouper } from './dispatch/regrouper.js';
import { AlertWriter } from './ingest/alert-writer.js';
import { GroupMembership } from './ingest/group-membership.js';
import { IngestQueue } from './ingest/ingest-queue.js';
import { AlertsReader } from './query/alerts-reader.js';
import { NotificationsReader } from './query/notifications-reader.js';
import { PruneHistoryHandler } from './retention/retention.handler.js';

export interface AlertsModuleOptions extends AlertsOptions {
  /** Loaded before Nest starts, so that a bad file ends the program with every fault listed. */
  configs: AlertsConfigStore;
  clock?: Clock;
}

const taking = [ConfigReloads, GroupMembership, AlertWriter, IngestQueue, AlertsService];
const reading = [AlertsReader, NotificationsReader, DeadLetters];
const dispatching = [FlushPass, Orphans, Dispatcher, Regrouper];
const delivering = [Notifiers, Settlement, DeliverNotificationHandler];

/**
 * The hub. `forRoot` takes alerts in and answers questions; `forWorker` does that too, and flushes groups and delivers.
 * Both need eyrie/database's module, the worker also `JobsModule.forWorker` with {@link alertsTasks}.
 */
@Module({})
export class AlertsModule {
  static forRoot(options: AlertsModuleOptions): DynamicModule {
    return hub(options, []);
  }

  static forWorker(options: AlertsModuleOptions): DynamicModule {
    return hub(options, [...dispatching, ...delivering, PruneHistoryHandler]);
  }
}

function hub({ configs, clock, ...options }: AlertsModuleOptions, providers: Provider[]): DynamicModule {
  return {
    module: AlertsModule,
    imports: [JobsModule],
    providers: [
      { provide: ALERTS_OPTIONS, useValue: options },
      { provide: AlertsConfigStore, useValue: configs },
      { provide: Clock, useValue: clock ?? new SystemClock() },
      ...taking,
      ...reading,
      ...providers,
    ],
    exports: [ALERTS_OPTIONS, AlertsConfigStore, Clock, ...taking, ...reading, ...providers],
  };
}
