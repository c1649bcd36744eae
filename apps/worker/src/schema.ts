import { alertsMigrations } from 'eyrie/alerts';
import { type DatabaseSchema } from 'eyrie/database';
import { migrateJobs } from 'eyrie/jobs';

/** The tables that the worker needs; the api, which has keys too, brings the rest. */
export const schema: DatabaseSchema = { migrations: alertsMigrations, then: [migrateJobs] };
