import { Logger } from '@nestjs/common';
import type { DatabaseSettings } from './database.config.js';
import { migrate, type MigrateOptions } from './migrate.js';
import { resolveDatabase, type ResolvedDatabase } from './resolve-database.js';
import { untilAvailable } from './until-available.js';
import { waitForDatabase } from './wait-for-database.js';

/** What an app needs in its database. */
export type DatabaseSchema = Omit<MigrateOptions, 'url'>;

/**
 * Finds or starts the database of an app; {@link DatabaseModule} then waits for it. With a `schema` it is waited for and
 * migrated now: right for development; elsewhere a program of its own migrates before the new version starts.
 */
export async function prepareDatabase(settings: DatabaseSettings, schema?: DatabaseSchema): Promise<ResolvedDatabase> {
  const logger = new Logger('Database');
  const database = await resolveDatabase(settings, (sentence) => logger.log(sentence));
  if (!schema) return database;
  const { url } = database;
  const { startupTimeoutMs: limitMs, connectTimeoutMs } = settings;
  try {
    await waitForDatabase(url, { limitMs, connectTimeoutMs });
    const applied = await untilAvailable(() => migrate({ url, ...schema }), { limitMs });
    if (applied.length > 0) logger.log(`applied ${applied.join(', ')}`);
    return database;
  } catch (error) {
    await database.release();
    throw error;
  }
}
