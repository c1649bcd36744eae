import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource, type DataSourceOptions, EntityManager } from 'typeorm';
import { TypeOrmLogger } from './typeorm-logger.js';

/**
 * TypeORM over the pool of `DatabaseModule`: `DataSource`, `EntityManager`, and what `TypeOrmModule.forFeature()` makes of
 * them. It stands apart because TypeORM takes a tenth of an app's start and a sixth of its memory: who has no entities
 * does not load it.
 *
 * TypeORM's own root module is left out: it closes the pool in a shutdown phase of its choosing, while here the database
 * closes in its turn of `Lifecycle`, after whoever still uses it.
 *
 * @example imports: [DatabaseModule.forRoot(…), EntitiesModule.forRoot([Item]), TypeOrmModule.forFeature([Item])]
 */
@Global()
@Module({})
export class EntitiesModule {
  static forRoot(entities: NonNullable<DataSourceOptions['entities']>): DynamicModule {
    return {
      module: EntitiesModule,
      providers: [
        { provide: DataSource, useFactory: (pool: Pool) => mapEntities(entities, pool), inject: [Pool] },
        { provide: EntityManager, useFactory: ({ manager }: DataSource) => manager, inject: [DataSource] },
      ],
      exports: [DataSource, EntityManager],
    };
  }
}

function mapEntities(entities: NonNullable<DataSourceOptions['entities']>, pool: Pool): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    entities,
    installExtensions: false,
    logger: new TypeOrmLogger(),
    poolErrorHandler: () => undefined, // the owner of the pool has one
    driver: { Pool: lent(pool) },
  }).initialize();
}

/** A class whose every instance is the given pool, which only its owner ends. */
function lent(pool: Pool) {
  const borrowed = new Proxy(pool, {
    get: (target, key, receiver): unknown =>
      key === 'end' ? (done?: () => void) => done?.() : Reflect.get(target, key, receiver),
  });
  return function BorrowedPool() {
    return borrowed;
  };
}
