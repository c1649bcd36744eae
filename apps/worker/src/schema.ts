import { alertsMigrations } from 'eyrie/alerts';
import { authMigrations } from 'eyrie/auth';
import { type DatabaseSchema } from 'eyrie/database';
import { migrateJobs } from 'eyrie/jobs';

/** Every table of the hub; the api brings the same. */
export const schema: DatabaseSchema = { migrations: [...authMigrations, ...alertsMigrations], then: [migrateJobs] };
