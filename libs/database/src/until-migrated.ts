import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIGRATION_LOCK, type MigrationClass } from './migrate.js';

export interface UntilMigratedOptions {
  url: string;
  migrations: readonly MigrationClass[];
  /** How long to wait. */
  limitMs: number;
  /** How often to look. 1 s unless told. */
  pauseMs?: number;
  /** Told of what is missing whenever that has changed. */
  onMissing?: (names: string[]) => void;
}

/**
 * Resolves once all these migrations have been applied to the database, by another process, and it has finished. Further
 * ones, of a newer version, are no obstacle: so a version that is rolled back to starts at once.
 * @throws naming what is missing when the limit has passed
 */
export async function untilMigrated(options: UntilMigratedOptions): Promise<void> {
  const { limitMs, pauseMs = 1_000, onMissing } = options;
  const deadline = performance.now() + limitMs;
  for (let told = ''; ; await sleep(pauseMs)) {
    const missing = await missingMigrations(options);
    if (missing.length === 0) return;
    const names = missing.join(', ');
    if (performance.now() >= deadline) throw new Error(`not migrated within ${limitMs / 1_000} s: ${names}`);
    if (names !== told) onMissing?.(missing);
    told = names;
  }
}

/** Those that the database lacks, oldest first; while one is being applied, the answer waits for that. */
async function missingMigrations({ url, migrations }: UntilMigratedOptions): Promise<string[]> {
  const client = new Client({ connectionString: url, application_name: 'eyrie migrate wait', keepAlive: true });
  client.on('error', () => {}); // the query that it breaks tells
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock_shared($1)', [MIGRATION_LOCK]);
    const { rows: tables } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('migrations') IS NOT NULL AS there`,
    );
    const { rows } = tables[0]?.there
      ? await client.query<{ name: string }>('SELECT name FROM migrations')
      : { rows: [] };
    const applied = new Set(rows.map(({ name }) => name));
    return migrations.map(nameOf).filter((name) => !applied.has(name));
  } finally {
    await client.end().catch(() => undefined); // which gives the lock back
  }
}

/** As TypeORM notes it. */
function nameOf(migration: MigrationClass): string {
  return new migration().name ?? migration.name;
}
