import { alertsSettings, notifySettings } from 'eyrie/alerts';
import { standardSettings } from 'eyrie/app';
import { authSettings } from 'eyrie/auth';
import { cacheSettings } from 'eyrie/cache';
import { defineSettings, port, setting } from 'eyrie/config';
import { databaseSettings } from 'eyrie/database';
import { jobsSettings } from 'eyrie/jobs';
import { realtimeSettings } from 'eyrie/realtime';
import { secretsSettings } from 'eyrie/secrets';

/** Everything that the api can be told. */
export const apiSlices = {
  ...standardSettings,
  api: defineSettings({
    port: setting('PORT', port().default(3000), { description: 'Port of the api; 0 takes a free one.' }),
  }),
  database: databaseSettings,
  cache: cacheSettings,
  jobs: jobsSettings,
  auth: authSettings,
  secrets: secretsSettings,
  alerts: alertsSettings,
  notify: notifySettings,
  realtime: realtimeSettings,
};
