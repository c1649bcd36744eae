import {
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { Pool } from 'pg';
import { Database } from './database.js';
import { measureConnections } from './database.metrics.js';
import { Listener } from './listener.js';
import { openPool, type PoolOptions } from './pool.js';

export interface DatabaseOptions extends PoolOptions {
  /** Called once the connections are closed: ends the use of an embedded database. */
  release?: () => Promise<void>;
}

const DATABASE_OPTIONS = Symbol('DATABASE_OPTIONS');

/**
 * One pool of connections for the process, and {@link Database} for SQL over it. Importing it waits for the database. For
 * entities, `EntitiesModule` of `eyrie/database/typeorm` uses the same pool.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: DATABASE_OPTIONS, useValue: options },
        { provide: Pool, useFactory: () => openPool(options) },
        { provide: Listener, useFactory: () => new Listener(options.url, options) },
        {
          provide: Database,
          useFactory: (pool: Pool, listener: Listener) => new Database(pool, listener),
          inject: [Pool, Listener],
        },
        DatabaseCloser,
      ],
      exports: [Pool, Database],
    };
  }
}

/** Closes the connections with the process, and tells health about them. */
@Injectable()
class DatabaseCloser implements OnApplicationShutdown {
  private readonly endMeasuring: () => void;

  constructor(
    @Inject(Pool) private readonly pool: Pool,
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
    if (!this.pool.ending) await this.pool.end();
    await this.options.release?.();
  }
}
