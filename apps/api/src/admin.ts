import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { adminCli, adminTools } from 'eyrie/auth';
import { loadSettingsOrExit } from 'eyrie/config';
import { Database, DatabaseModule, databaseSettings, prepareDatabase } from 'eyrie/database';
import { loggingSettings } from 'eyrie/logging';
import { schema } from './schema.js';

// What is said on stdout is for whoever asked, a generated password for instance.
const logger = ['warn', 'error', 'fatal'] as const;
Logger.overrideLogger([...logger]);

/** `npm run admin`: the people who may log in. In development the first of them may come before the first start. */
const { environment, database } = loadSettingsOrExit({ logging: loggingSettings, database: databaseSettings });
const resolved = await prepareDatabase(database, environment === 'development' ? schema : undefined);
const app = await NestFactory.createApplicationContext(DatabaseModule.forRoot({ ...database, ...resolved }), {
  logger: [...logger],
});
try {
  process.exitCode = await adminCli(adminTools(app.get(Database)), process.argv.slice(2), process);
} finally {
  await app.close();
}
