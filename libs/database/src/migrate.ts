import { Client } from 'pg';
import type { MigrationInterface } from 'typeorm';
import { TypeOrmLogger } from './typeorm-logger.js';

/** A migration as TypeORM knows it; the class name ends in its time in milliseconds, which orders it. */
export type MigrationClass = new () => MigrationInterface;

export interface MigrateOptions {
  url: string;
  migrations: MigrationClass[];
  /** What else brings tables up to date, such as a queue's own migrations; run in order, under the same lock. */
  then?: ((url: string) => Promise<void>)[];
}

/** Any number that nobody else uses for advisory locks in this database. */
export const MIGRATION_LOCK = 3_917_250_142;

/**
 * Applies the migrations that this database lacks, oldest first, each in a transaction of its own together with the note
 * that it was applied. Any number of processes may call this at once: one works, the others wait and find nothing to do.
 * A migration that fails leaves nothing of itself, and the ones after it do not run.
 *
 * The lock belongs to a session: use a direct connection, not one through a pooler in transaction mode.
 * @returns the names of the migrations that were applied
 */
export async function migrate({ url, migrations, then = [] }: MigrateOptions): Promise<string[]> {
  const holder = new Client({ connectionString: url, application_name: 'eyrie migrate lock', keepAlive: true });
  let lost: Error | undefined;
  holder.on('error', (error) => (lost = error));
  await holder.connect();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await apply(url, migrations);
    for (const step of then) await step(url);
    if (lost)
      throw new Error('The migration lock was lost on the way; another process may have migrated at the same time', {
        cause: lost,
      });
    return applied;
  } finally {
    await holder.end().catch(() => undefined); // which gives the lock back
  }
}

async function apply(url: string, migrations: MigrationClass[]): Promise<string[]> {
  const { DataSource } = await import('typeorm');
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    logger: new TypeOrmLogger(),
    applicationName: 'eyrie migrate',
  });
  await dataSource.initialize();
  try {
    return (await dataSource.runMigrations()).map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}
