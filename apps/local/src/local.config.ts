import { defineSettings, port, setting, type Settings } from 'eyrie/config';
import { databaseSettings } from 'eyrie/database';
import * as z from 'zod';

const knownPort = () => port().refine((number) => number > 0, 'a port of your choice: `npm start` has to know it');

/** The setting of `npm start` alone. */
export const localSettings = defineSettings({
  receiverPort: setting('LOCAL_RECEIVER_PORT', knownPort().default(3002), {
    description: 'Where the receiver of `npm start` takes notifications, to show them.',
  }),
});

/**
 * What `npm start` must know of the settings of the apps: where they will listen, and what the user has decided. The apps
 * read these themselves; whatever is not set is given to them.
 */
export const appSettings = defineSettings({
  apiPort: setting('PORT', knownPort().default(3000), { description: 'Of the api.' }),
  workerPort: setting('WORKER_PORT', knownPort().default(3001), { description: 'Of the worker.' }),
  alertsConfig: setting('ALERTS_CONFIG', z.string().optional(), { description: 'Made where missing.' }),
  ingestKey: setting('INGEST_KEY', z.string().optional(), { description: 'Made where missing.', secret: true }),
  operatorKey: setting('OPERATOR_KEY', z.string().optional(), { description: 'Made where missing.', secret: true }),
  logLevel: setting('LOG_LEVEL', z.string().optional(), { description: '"warn" where missing.' }),
  logFormat: setting('LOG_FORMAT', z.string().optional(), { description: '"text" where missing.' }),
});

export const slices = { database: databaseSettings, local: localSettings, apps: appSettings };
export type LaunchSettings = Settings<typeof slices>;
