import { AlertsConfigStore } from 'eyrie/alerts';
import { defineProgram } from 'eyrie/app';
import { prepareDatabase } from 'eyrie/database';
import { createApi } from './create-api.js';
import { schema } from './schema.js';
import { apiSlices } from './settings.js';

export default defineProgram({
  slices: apiSlices,
  port: ({ api }) => api.port,
  async create({ settings, info }) {
    const configs = await AlertsConfigStore.loadOrExit(settings.alerts, settings.secrets.encryptionKeys);
    const isDevelopment = settings.environment === 'development';
    const database = await prepareDatabase(settings.database, isDevelopment ? schema : undefined);
    return createApi({ settings, database, configs, info });
  },
});
