import { loadSettingsOrExit, readProgramInfo } from 'eyrie/config';
import { databaseSettings, migrate, resolveDatabase, waitForDatabase } from 'eyrie/database';
import { flushLogs, installLogger, loggingSettings } from 'eyrie/logging';
import { Logger } from '@nestjs/common';
import { schema } from './schema.js';

const { environment, logging, database } = loadSettingsOrExit({ logging: loggingSettings, database: databaseSettings });
const { version } = readProgramInfo(import.meta.dirname);
installLogger({ ...logging, service: 'migrate', version, environment });
const logger = new Logger('Migrate');

try {
  const { url, release } = await resolveDatabase(database);
  try {
    await waitForDatabase(url, { limitMs: database.startupTimeoutMs, connectTimeoutMs: database.connectTimeoutMs });
    const applied = await migrate({ url, ...schema });
    logger.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the database is up to date');
  } finally {
    await release();
  }
} catch (error) {
  logger.fatal('the database could not be migrated', error);
  process.exitCode = 1;
}
flushLogs();
