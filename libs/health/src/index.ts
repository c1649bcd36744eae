export { HealthController, type Readiness } from './health.controller.js';
export { HealthModule } from './health.module.js';
export {
  type HealthCheck,
  HealthRegistry,
  type HealthReport,
  type HealthStatus,
  type ProcessState,
} from './health-registry.js';
