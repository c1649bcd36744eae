import { runMigrations } from 'graphile-worker';
import { Client } from 'pg';

/** What this library keeps beside graphile-worker's own tables. Each statement may run again. */
const statements = [
  `CREATE TABLE IF NOT EXISTS job_workers (
     id text PRIMARY KEY,
     host text NOT NULL,
     pid integer NOT NULL,
     started_at timestamptz NOT NULL DEFAULT now(),
     seen_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE TABLE IF NOT EXISTS job_failures (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     task text NOT NULL,
     job_id bigint NOT NULL,
     attempt integer NOT NULL,
     final boolean NOT NULL,
     payload jsonb NOT NULL,
     error text NOT NULL,
     worker text NOT NULL,
     failed_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE INDEX IF NOT EXISTS job_failures_by_time ON job_failures (failed_at)`,
];

/** Brings the queue's tables up to date; call it under the same lock as the other migrations. */
export async function migrateJobs(url: string): Promise<void> {
  await runMigrations({ connectionString: url });
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the next statement fails with it
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
