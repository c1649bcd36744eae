import { NestFactory } from '@nestjs/core';
import { ApiKeysService, keysCli } from 'eyrie/auth';
import { loadSettingsOrExit } from 'eyrie/config';
import { Database, DatabaseModule, databaseSettings, resolveDatabase } from 'eyrie/database';
import { loggingSettings } from 'eyrie/logging';

/** `npm run keys`: API keys for machines. It does not provision those of the configuration: that is the api's business. */
const { database } = loadSettingsOrExit({ logging: loggingSettings, database: databaseSettings });
const resolved = await resolveDatabase(database);
const app = await NestFactory.createApplicationContext(DatabaseModule.forRoot({ ...database, ...resolved }), {
  logger: ['warn', 'error', 'fatal'],
});
try {
  process.exitCode = await keysCli(new ApiKeysService(app.get(Database)), process.argv.slice(2), process);
} finally {
  await app.close();
}
