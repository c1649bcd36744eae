import { alertsSettings, notifySettings } from 'eyrie/alerts';
import { authSettings } from 'eyrie/auth';
import { defineSettings, port, setting } from 'eyrie/config';
import { databaseSettings } from 'eyrie/database';
import { lifecycleSettings } from 'eyrie/lifecycle';
import { loggingSettings } from 'eyrie/logging';
import { serverSettings } from 'eyrie/server';

/** Everything that the api can be told. */
export const apiSlices = {
  api: defineSettings({
    port: setting('PORT', port().default(3000), { description: 'Port of the api; 0 takes a free one.' }),
  }),
  lifecycle: lifecycleSettings,
  logging: loggingSettings,
  server: serverSettings,
  database: databaseSettings,
  auth: authSettings,
  alerts: alertsSettings,
  notify: notifySettings,
};
