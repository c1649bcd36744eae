import {
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import type { Pool } from 'pg';
import { DataSource, type DataSourceOptions, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { DatabaseSettings } from './database.config.js';
import { Database } from './database.js';
import { measureConnections } from './database.metrics.js';
import { messageOf } from './database-error.js';
import { Listener } from './listener.js';
import { TypeOrmLogger } from './typeorm-logger.js';
import { untilAvailable } from './until-available.js';
import { waitForDatabase } from './wait-for-database.js';

/** {@link DatabaseSettings} with the URL decided, and what TypeORM is to map. */
export interface DatabaseOptions extends Omit<DatabaseSettings, 'url' | 'embeddedDirectory'> {
  url: string;
  entities?: DataSourceOptions['entities'];
  /** Called once the connections are closed: ends the use of an embedded database. */
  release?: () => Promise<void>;
  /** Run-time parameters of every connection, such as `{ jit: 'off' }`. */
  session?: Readonly<Record<string, string>>;
  /** What PostgreSQL calls the connections in `pg_stat_activity`. */
  applicationName?: string;
}

const DATABASE_OPTIONS = Symbol('DATABASE_OPTIONS');
const logger = new Logger('Database');

/**
 * One pool of connections for the process: {@link Database} for SQL, TypeORM's `DataSource`, `EntityManager` and
 * `TypeOrmModule.forFeature()` for entities. Importing it waits for the database.
 *
 * TypeORM's own root module is left out: it closes the pool in a shutdown phase of its choosing, while here the database
 * closes in its turn of {@link Lifecycle}, after whoever still uses it.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: DATABASE_OPTIONS, useValue: options },
        { provide: DataSource, useFactory: () => connect(options) },
        { provide: EntityManager, useFactory: ({ manager }: DataSource) => manager, inject: [DataSource] },
        { provide: Listener, useFactory: () => new Listener(options.url, options) },
        {
          provide: Database,
          useFactory: (source: DataSource, listener: Listener) => new Database(poolOf(source), listener),
          inject: [DataSource, Listener],
        },
        DatabaseCloser,
      ],
      exports: [DataSource, EntityManager, Database],
    };
  }
}

/** Closes the connections with the process, and tells health about them. */
@Injectable()
class DatabaseCloser implements OnApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Listener) private readonly listener: Listener,
    @Inject(DATABASE_OPTIONS) private readonly options: Pick<DatabaseOptions, 'release'>,
    @Inject(Database) database: Database,
    @Optional() @Inject(Lifecycle) private readonly lifecycle?: Lifecycle,
    @Optional() @Inject(HealthRegistry) health?: HealthRegistry,
  ) {
    this.endMeasuring = measureConnections(database);
    lifecycle?.onStop('database', () => this.close());
    health?.register({
      name: 'database',
      critical: true,
      timeoutMs: 1_000,
      check: async () => {
        await database.query('SELECT 1');
        return { details: { ...database.connections } };
      },
    });
  }

  /** Without a {@link Lifecycle}, in small programs and tests, Nest's own shutdown closes the pool. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.lifecycle) await this.close();
  }

  private async close(): Promise<void> {
    this.endMeasuring();
    await this.listener.close();
    await this.dataSource.destroy();
    await this.options.release?.();
  }
}

async function connect(options: DatabaseOptions): Promise<DataSource> {
  const {
    url,
    entities,
    applicationName = 'eyrie',
    session = {},
    poolMax,
    connectTimeoutMs,
    startupTimeoutMs,
    statementTimeoutMs,
  } = options;
  await waitForDatabase(url, {
    limitMs: startupTimeoutMs,
    connectTimeoutMs,
    onRetry: ({ error, pauseMs }) =>
      logger.warn(`The database does not answer yet, again in ${pauseMs} ms: ${messageOf(error)}`),
  });
  const source = new DataSource({
    type: 'postgres',
    url,
    entities,
    applicationName,
    poolSize: poolMax,
    connectTimeoutMS: connectTimeoutMs,
    installExtensions: false,
    logger: new TypeOrmLogger(),
    poolErrorHandler: (error: unknown) => logger.warn(`An idle connection broke: ${messageOf(error)}`),
    extra: {
      options: Object.entries(session)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
      keepAlive: true,
      idleTimeoutMillis: 30_000,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      // For a peer that has vanished without a word, and so cannot keep its own limit.
      query_timeout: statementTimeoutMs + connectTimeoutMs,
    },
  });
  return untilAvailable(() => source.initialize(), startupTimeoutMs);
}

/** TypeORM keeps its pool here; it is documented as the way to node-postgres. */
function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as PostgresDriver).master as Pool;
}
