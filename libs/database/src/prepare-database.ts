import { Logger } from '@nestjs/common';
import type { DatabaseSettings } from './database.config.js';
import { migrate, type MigrateOptions } from './migrate.js';
import { resolveDatabase, type ResolvedDatabase } from './resolve-database.js';
import { untilAvailable } from './until-available.js';
import { waitForDatabase } from './wait-for-database.js';

/** What an app needs in its database. */
export type DatabaseSchema = Omit<MigrateOptions, 'url'>;

/**
 * Finds or starts the database of an app, and waits for it. With a `schema` it is migrated too: right for development;
 * elsewhere a program of its own migrates before the new version starts.
 */
export async function prepareDatabase(settings: DatabaseSettings, schema?: DatabaseSchema): Promise<ResolvedDatabase> {
  const logger = new Logger('Database');
  const database = await resolveDatabase(settings, (sentence) => logger.log(sentence));
  try {
    await waitForDatabase(database.url, {
      limitMs: settings.startupTimeoutMs,
      connectTimeoutMs: settings.connectTimeoutMs,
    });
    const { url } = database;
    const applied = schema ? await untilAvailable(() => migrate({ url, ...schema }), settings.startupTimeoutMs) : [];
    if (applied.length > 0) logger.log(`applied ${applied.join(', ')}`);
    return database;
  } catch (error) {
    await database.release();
    throw error;
  }
}
