export { type AlertState, type IncomingAlert } from './alert.js';
export { alertsSettings, type AlertsOptions, type AlertsSettings } from './alerts.config.js';
export { AlertsConfigStore } from './alerts-config.store.js';
export { ConfigReloads } from './config-reloads.js';
export { AlertsModule, type AlertsModuleOptions } from './alerts.module.js';
export { AlertsService, InvalidAlert } from './alerts.service.js';
export { checkConfigCli, type CheckConfigOptions } from './check-config-cli.js';
export { Clock, SystemClock } from './clock.js';
export * from './config/index.js';
export { DeadLetters } from './deliver/dead-letters.js';
export { type Escalation, Escalations, type EscalationStep, parseEscalations } from './escalation/index.js';
export {
  type BeatRequest,
  beatRequest,
  heartbeatName,
  type HeartbeatRequest,
  heartbeatRequest,
  HeartbeatsService,
  heartbeatStates,
  type HeartbeatView,
  TooManyHeartbeats,
} from './heartbeats/index.js';
export { EventWrites } from './event-writes.js';
export { IngestOverloaded } from './ingest/ingest-queue.js';
export { alertRequest, alertRequests, type AlertRequest, severities, type Severity } from './intake/alert-request.js';
export { type IntakeFault } from './intake/fault.js';
export { AlertsExport, type ExportEnd } from './query/alerts-export.js';
export { AlertsSummary, type HubSummary } from './query/alerts-summary.js';
export { alertsMigrations } from './migrations/index.js';
export { notifySettings, type NotificationPayload, type NotifySettings } from './notify/index.js';
export { AlertGroupsReader, type AlertGroup, type AlertGroupsFilter } from './query/alert-groups-reader.js';
export {
  AlertActions,
  type AlertAttention,
  AlertEnded,
  AlertNotFound,
  attentionOf,
  type AuditEntry,
  type AuditFilter,
  AuditLog,
  recordAudit,
  type Requester,
} from './people/index.js';
export {
  type ActiveAlert,
  type AlertEventView,
  type AlertFilter,
  type AlertPage,
  AlertsReader,
  type AlertView,
} from './query/alerts-reader.js';
export {
  type AttemptView,
  type NotificationDetails,
  type NotificationFilter,
  NotificationsReader,
  type NotificationState,
  notificationStates,
  type NotificationView,
} from './query/notifications-reader.js';
export {
  InvalidSilence,
  type Silence,
  type SilenceActor,
  type SilenceEventView,
  SilenceNotFound,
  type SilenceRequest,
  SilencesReader,
  SilencesService,
  type SilenceState,
  silenceStates,
} from './silences/index.js';
export {
  type CircuitState,
  circuitStates,
  type IntegrationView,
  ReceiversReader,
  ReceiverTests,
  type ReceiverView,
  type TestResult,
} from './receivers/index.js';
export { alertsSession } from './session.js';
export { alertsCron, alertsTasks } from './tasks.js';
