import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { hideSecrets } from 'eyrie/logging';
import { createServer, describeApi } from 'eyrie/server';
import { ApiModule, type ApiOptions } from './api.module.js';
import { outageProblem } from './outage.js';

/** The whole api, ready to listen. */
export async function createApi(options: ApiOptions): Promise<NestFastifyApplication> {
  const { settings, info } = options;
  // A client may put its key where keys do not belong, such as a path, which is logged.
  hideSecrets([settings.auth.ingestKey, settings.auth.operatorKey].filter((key) => key !== undefined));
  const app = await createServer(ApiModule.forRoot(options), settings.server, { problemOf: outageProblem });
  await describeApi(app, { title: 'Eyrie', version: info.version, description: 'A durable alert hub.' });
  return app;
}
