import { alertsSettings, notifySettings } from 'eyrie/alerts';
import { standardSettings } from 'eyrie/app';
import { authSettings } from 'eyrie/auth';
import { cacheSettings } from 'eyrie/cache';
import { defineSettings, port, setting } from 'eyrie/config';
import { databaseSettings } from 'eyrie/database';
import { jobsSettings } from 'eyrie/jobs';
import { secretsSettings } from 'eyrie/secrets';

/** Everything that the worker can be told. */
export const workerSlices = {
  ...standardSettings,
  worker: defineSettings({
    port: setting('WORKER_PORT', port().default(3001), {
      description: "Port of the worker's health checks; 0 takes a free one.",
    }),
  }),
  database: databaseSettings,
  cache: cacheSettings,
  jobs: jobsSettings,
  auth: authSettings,
  secrets: secretsSettings,
  alerts: alertsSettings,
  notify: notifySettings,
};
