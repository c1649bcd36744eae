/**
 * Brings the database up to date. With `--wait` it only waits, for ten minutes, until another process has done so: what a new
 * version does before it starts, where a job of its own migrates.
 */
import { parseArgs } from 'node:util';
import { loadSettingsOrExit, readProgramInfo } from 'eyrie/config';
import { databaseSettings, migrate, resolveDatabase, untilMigrated, waitForDatabase } from 'eyrie/database';
import { flushLogs, installLogger, loggingSettings } from 'eyrie/logging';
import { Logger } from '@nestjs/common';
import { schema } from './schema.js';

const WAIT_LIMIT_MS = 600_000;

const { values: options } = parseArgs({ options: { wait: { type: 'boolean', default: false } } });
const { environment, logging, database } = loadSettingsOrExit({ logging: loggingSettings, database: databaseSettings });
const { version } = readProgramInfo(import.meta.dirname);
installLogger({ ...logging, service: 'migrate', version, environment });
const logger = new Logger('Migrate');

try {
  const { url, release } = await resolveDatabase(database);
  try {
    await waitForDatabase(url, { limitMs: database.startupTimeoutMs, connectTimeoutMs: database.connectTimeoutMs });
    if (options.wait) {
      const onMissing = (names: string[]) => logger.log(`waiting for ${names.join(', ')}`);
      await untilMigrated({ url, ...schema, limitMs: WAIT_LIMIT_MS, onMissing });
    }
    const applied = options.wait ? [] : await migrate({ url, ...schema });
    logger.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the database is up to date');
  } finally {
    await release();
  }
} catch (error) {
  logger.fatal('the database could not be migrated', error);
  process.exitCode = 1;
}
flushLogs();
