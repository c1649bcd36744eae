import { AlertsConfigStore } from 'eyrie/alerts';
import { loadSettingsOrExit, readProgramInfo } from 'eyrie/config';
import { prepareDatabase } from 'eyrie/database';
import { runApp } from 'eyrie/lifecycle';
import { installLogger } from 'eyrie/logging';
import { createApi } from './create-api.js';
import { schema } from './schema.js';
import { apiSlices } from './settings.js';

const settings = loadSettingsOrExit(apiSlices);
const { environment, logging, server, api } = settings;
const info = readProgramInfo(import.meta.dirname);
installLogger({ ...logging, service: 'api', version: info.version, environment });
const configs = await AlertsConfigStore.loadOrExit(settings.alerts);

await runApp({
  name: 'api',
  settings,
  async create() {
    const database = await prepareDatabase(settings.database, environment === 'development' ? schema : undefined);
    return createApi({ settings, database, configs, info });
  },
  async start(app) {
    await app.listen(api.port, server.host);
    return `api listens on ${await app.getUrl()}`;
  },
});
