export type {
  CheckOutcome,
  HealthCheck,
  HealthDetails,
  HealthGroup,
  HealthOutcome,
  HealthStatus,
} from './health-check.js';
export type { HealthChange } from './health-changes.js';
export { HealthController } from './health.controller.js';
export type { HealthInfo, RunningInfo } from './health-info.js';
export { healthCheckDuration, healthStatus } from './health-metrics.js';
export { HealthModule, type HealthOptions } from './health.module.js';
export { HealthRegistry, type HealthReport, type ProcessState } from './health-registry.js';
export { type HealthSettings, healthSettings } from './health.config.js';
export { HttpIndicator } from './indicators/http.indicator.js';
export { MonitoringController } from './monitoring.controller.js';
