import type { DatabaseSettings } from './database.config.js';
import { embeddedDatabase } from './embedded/embedded-database.js';

/** The database that the settings mean. */
export interface ResolvedDatabase {
  url: string;
  embedded: boolean;
  /** Where the embedded database really keeps its data; undefined for one of the user's own. */
  directory?: string;
  /** Ends this process's use of an embedded database; does nothing for one of the user's own. */
  release: () => Promise<void>;
}

/**
 * The database of DATABASE_URL, or the embedded one where that is not set (which the settings allow everywhere but in
 * production).
 * @throws EmbeddedDatabaseError with a sentence to print
 */
export async function resolveDatabase(
  settings: Pick<DatabaseSettings, 'url' | 'embeddedDirectory'>,
  report?: (sentence: string) => void,
): Promise<ResolvedDatabase> {
  if (settings.url !== undefined) return { url: settings.url, embedded: false, release: async () => undefined };
  const { url, directory, release } = await embeddedDatabase({ directory: settings.embeddedDirectory, report });
  return { url, embedded: true, directory, release };
}
