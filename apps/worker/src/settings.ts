import { alertsSettings, notifySettings } from 'eyrie/alerts';
import { defineSettings, port, setting } from 'eyrie/config';
import { databaseSettings } from 'eyrie/database';
import { jobsSettings } from 'eyrie/jobs';
import { lifecycleSettings } from 'eyrie/lifecycle';
import { loggingSettings } from 'eyrie/logging';
import { serverSettings } from 'eyrie/server';

/** Everything that the worker can be told. */
export const workerSlices = {
  worker: defineSettings({
    port: setting('WORKER_PORT', port().default(3001), {
      description: "Port of the worker's health checks; 0 takes a free one.",
    }),
  }),
  lifecycle: lifecycleSettings,
  logging: loggingSettings,
  server: serverSettings,
  database: databaseSettings,
  jobs: jobsSettings,
  alerts: alertsSettings,
  notify: notifySettings,
};
