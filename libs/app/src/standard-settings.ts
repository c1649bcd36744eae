import { healthSettings } from 'eyrie/health';
import { lifecycleSettings } from 'eyrie/lifecycle';
import { loggingSettings } from 'eyrie/logging';
import { metricsSettings } from 'eyrie/metrics';
import { serverSettings } from 'eyrie/server/processes';
import { tracingSettings } from 'eyrie/tracing';

/** What every app can be told, whatever else it does. */
export const standardSettings = {
  lifecycle: lifecycleSettings,
  logging: loggingSettings,
  metrics: metricsSettings,
  tracing: tracingSettings,
  health: healthSettings,
  server: serverSettings,
};

export type StandardSlices = typeof standardSettings;
