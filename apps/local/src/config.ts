import { settingsCli } from 'eyrie/config';
import { apiSlices } from '../../api/src/settings.js';
import { workerSlices } from '../../worker/src/settings.js';
import { localSettings } from './local.config.js';

/** `npm run config`: the settings of all apps, in force or as documents. */
process.exitCode = settingsCli(
  { api: apiSlices, worker: workerSlices, local: { local: localSettings } },
  process.argv.slice(2),
);
