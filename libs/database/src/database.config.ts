import { defineSettings, duration, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

/** The settings of the database. */
export const databaseSettings = defineSettings(
  {
    url: setting(
      'DATABASE_URL',
      z.url({ protocol: /^postgres(ql)?$/, error: 'a URL that begins with postgresql://' }).optional(),
      {
        description:
          'PostgreSQL 18 or later. Where it is missing, development starts an embedded one; production wants it to be set.',
        secret: true,
        example: 'postgresql://eyrie:password@db:5432/eyrie',
      },
    ),
    poolMax: setting('DATABASE_POOL_MAX', z.coerce.number().int().min(1).default(10), {
      description: 'Most connections of one process.',
    }),
    connectTimeoutMs: setting('DATABASE_CONNECT_TIMEOUT', duration().prefault('5s'), {
      description: 'How long to wait for a connection, new or from the pool.',
    }),
    startupTimeoutMs: setting('DATABASE_STARTUP_TIMEOUT', duration().prefault('60s'), {
      description: 'How long start-up waits for a database that does not answer yet.',
    }),
    statementTimeoutMs: setting('DATABASE_STATEMENT_TIMEOUT', duration().prefault('30s'), {
      description: 'How long one statement may run, and a transaction idle, before PostgreSQL ends it.',
    }),
    embeddedDirectory: setting('EMBEDDED_DATABASE_DIR', z.string().min(1).default('.eyrie/postgres'), {
      description: 'Where the embedded PostgreSQL of development keeps its data.',
    }),
  },
  {
    check: ({ url }, environment) =>
      environment === 'production' && url === undefined
        ? [{ name: 'DATABASE_URL', wanted: 'a PostgreSQL: production does not use the embedded one', given: 'nothing' }]
        : [],
  },
);

export type DatabaseSettings = SettingsOf<typeof databaseSettings>;
