import { AlertsConfigStore } from 'eyrie/alerts';
import { loadSettingsOrExit, readProgramInfo } from 'eyrie/config';
import { prepareDatabase } from 'eyrie/database';
import { runApp } from 'eyrie/lifecycle';
import { installLogger } from 'eyrie/logging';
import { createServer } from 'eyrie/server';
import { schema } from './schema.js';
import { workerSlices } from './settings.js';
import { WorkerModule } from './worker.module.js';

const settings = loadSettingsOrExit(workerSlices);
const { environment, logging, server, worker } = settings;
const { version } = readProgramInfo(import.meta.dirname);
installLogger({ ...logging, service: 'worker', version, environment });
const configs = await AlertsConfigStore.loadOrExit(settings.alerts);

await runApp({
  name: 'worker',
  settings,
  async create() {
    const database = await prepareDatabase(settings.database, environment === 'development' ? schema : undefined);
    return createServer(WorkerModule.forRoot({ settings, database, configs, version }), server);
  },
  async start(app) {
    await app.listen(worker.port, server.host);
    return `worker serves its health on ${await app.getUrl()}`;
  },
});
