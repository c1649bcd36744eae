import { defineSettings, flag, port, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

/** Whether metrics are collected, and where they are served. */
export const metricsSettings = defineSettings({
  enabled: setting('METRICS_ENABLED', flag().default(true), {
    description: 'Whether metrics are collected and served; without them /metrics is 404.',
  }),
  port: setting('METRICS_PORT', port().optional(), {
    description:
      "A port of its own for /metrics, which then is not on the app's port any more: one that is not published. In a cluster the primary process serves it once for all.",
    example: '9464',
  }),
  host: setting('METRICS_HOST', z.string().min(1).default('0.0.0.0'), {
    description: 'The address to listen on with METRICS_PORT.',
    defaults: { development: '127.0.0.1', test: '127.0.0.1' },
  }),
});

export type MetricsSettings = SettingsOf<typeof metricsSettings>;
