import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { JobsModule } from 'eyrie/jobs';
import { ALERTS_OPTIONS, type AlertsOptions } from './alerts.config.js';
import { ConfigReloads } from './config-reloads.js';
import { AlertsConfigStore } from './alerts-config.store.js';
import { AlertsService } from './alerts.service.js';
import { Clock, SystemClock } from './clock.js';
import { Admissions } from './deliver/admission.js';
import { DeliverNotificationHandler } from './deliver/deliver-notification.handler.js';
import { DeadLetters } from './deliver/dead-letters.js';
import { FreshNotifications } from './deliver/fresh-notifications.js';
import { Notifiers } from './deliver/notifiers.js';
import { PutBack } from './deliver/put-back.js';
import { Settlement } from './deliver/settlement.js';
import { Turns } from './deliver/turns.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { FlushPass } from './dispatch/flush.js';
import { Orphans } from './dispatch/orphans.js';
import { Regrouper } from './dispatch/regrouper.js';
import { EscalationPass, EscalationSweep, Escalator, Notices } from './escalation/index.js';
import { EventWrites } from './event-writes.js';
import { HEALTH_ALERTS_OPTIONS, HealthAlerts, type HealthAlertsOptions } from './health-alerts.js';
import { HeartbeatPass, HeartbeatsService, HeartbeatWatch, Watchdogs } from './heartbeats/index.js';
import { AlertWriter } from './ingest/alert-writer.js';
import { GroupMembership } from './ingest/group-membership.js';
import { IngestQueue } from './ingest/ingest-queue.js';
import { AlertActions, AuditLog } from './people/index.js';
import { AlertsExport } from './query/alerts-export.js';
import { AlertGroupsReader } from './query/alert-groups-reader.js';
import { AlertsReader } from './query/alerts-reader.js';
import { AlertsSummary } from './query/alerts-summary.js';
import { NotificationsReader } from './query/notifications-reader.js';
import { ReceiverMetrics, ReceiversReader, ReceiverTests, TestReceiverHandler } from './receivers/index.js';
import { PruneHistoryHandler } from './retention/retention.handler.js';
import { PruneSilencesHandler, SilenceIndex, SilencesReader, SilencesService } from './silences/index.js';

export interface AlertsModuleOptions extends AlertsOptions {
  /** Loaded before Nest starts, so that a bad file ends the program with every fault listed. */
  configs: AlertsConfigStore;
  clock?: Clock;
  /** The app's name; without it, health raises no alerts whatever the settings say. */
  service?: string;
  /** Jobs that a worker has in hand at once: what receivers have a share of. */
  concurrency?: number;
}

const taking = [ConfigReloads, EventWrites, GroupMembership, AlertWriter, IngestQueue, AlertsService];
const reading = [AlertsReader, AlertsSummary, AlertsExport, NotificationsReader, DeadLetters];
const silencing = [AlertGroupsReader, SilenceIndex, SilencesReader, SilencesService];
const handling = [Watchdogs, HeartbeatsService, AlertActions, AuditLog];
const escalating = [Notices, EscalationSweep, EscalationPass, Escalator, HeartbeatPass, HeartbeatWatch];
const dispatching = [FlushPass, Orphans, Dispatcher, Regrouper];
const receiving = [ReceiversReader, ReceiverTests];
const delivering = [FreshNotifications, Notifiers, Turns, Admissions, PutBack, Settlement, DeliverNotificationHandler];
const tryingOut = [TestReceiverHandler, ReceiverMetrics];

/**
 * The hub. `forRoot` takes alerts in and answers questions; `forWorker` does that too, and flushes groups and delivers.
 * Both need the modules of eyrie/database and eyrie/cache, the worker also `JobsModule.forWorker` with {@link alertsTasks}.
 */
@Module({})
export class AlertsModule {
  static forRoot(options: AlertsModuleOptions): DynamicModule {
    return hub(options, []);
  }

  static forWorker(options: AlertsModuleOptions): DynamicModule {
    return hub(options, [
      ...dispatching,
      ...escalating,
      ...delivering,
      ...tryingOut,
      PruneHistoryHandler,
      PruneSilencesHandler,
    ]);
  }
}

function hub({ configs, clock, service, ...options }: AlertsModuleOptions, providers: Provider[]): DynamicModule {
  const watching: Provider[] =
    service && options.healthAlerts
      ? [{ provide: HEALTH_ALERTS_OPTIONS, useValue: { service } satisfies HealthAlertsOptions }, HealthAlerts]
      : [];
  return {
    module: AlertsModule,
    imports: [JobsModule],
    providers: [
      { provide: ALERTS_OPTIONS, useValue: options },
      { provide: AlertsConfigStore, useValue: configs },
      { provide: Clock, useValue: clock ?? new SystemClock() },
      ...taking,
      ...reading,
      ...receiving,
      ...handling,
      ...silencing,
      ...providers,
      ...watching,
    ],
    exports: [
      ALERTS_OPTIONS,
      AlertsConfigStore,
      Clock,
      ...taking,
      ...reading,
      ...receiving,
      ...handling,
      ...silencing,
      ...providers,
    ],
  };
}
