import { AlertsConfigStore } from 'eyrie/alerts';
import { defineProgram } from 'eyrie/app';
import { prepareDatabase } from 'eyrie/database';
import { createServer } from 'eyrie/server';
import { schema } from './schema.js';
import { workerSlices } from './settings.js';
import { WorkerModule } from './worker.module.js';

export default defineProgram({
  slices: workerSlices,
  port: ({ worker }) => worker.port,
  async create({ settings, info }) {
    const configs = await AlertsConfigStore.loadOrExit(settings.alerts, settings.secrets.encryptionKeys);
    const isDevelopment = settings.environment === 'development';
    const database = await prepareDatabase(settings.database, isDevelopment ? schema : undefined);
    return createServer(WorkerModule.forRoot({ settings, database, configs, info }), settings.server);
  },
});
