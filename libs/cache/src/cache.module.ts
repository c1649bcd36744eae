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
import type { CacheSettings } from './cache.config.js';
import { Cache } from './cache.js';
import { redisUp } from './cache.metrics.js';
import { MemoryStore } from './memory-store.js';
import { redisCheck } from './redis-check.js';
import { RedisConnection } from './redis-connection.js';
import { RedisStore } from './redis-store.js';

/** {@link Cache}, and the {@link RedisConnection} under it for others. Start-up neither waits for Redis nor fails without. */
@Global()
@Module({})
export class CacheModule {
  static forRoot(settings: CacheSettings): DynamicModule {
    const storeOn = (redis: RedisConnection) =>
      redis.state === 'off'
        ? new MemoryStore({ entries: settings.memoryEntries, bytes: settings.memorySize })
        : new RedisStore(redis);
    return {
      module: CacheModule,
      providers: [
        { provide: RedisConnection, useFactory: () => new RedisConnection(settings) },
        {
          provide: Cache,
          useFactory: (redis: RedisConnection) => new Cache(storeOn(redis), settings),
          inject: [RedisConnection],
        },
        RedisCloser,
      ],
      exports: [Cache, RedisConnection],
    };
  }
}

/** Closes the connections with the process, and tells health and metrics about them. */
@Injectable()
class RedisCloser implements OnApplicationShutdown {
  private readonly endMetric?: () => void;

  constructor(
    @Inject(RedisConnection) private readonly redis: RedisConnection,
    @Optional() @Inject(Lifecycle) private readonly lifecycle?: Lifecycle,
    @Optional() @Inject(HealthRegistry) health?: HealthRegistry,
  ) {
    if (redis.state === 'off') return;
    this.endMetric = redisUp.collectFrom(() => (redis.state === 'connected' ? 1 : 0));
    health?.register(redisCheck(redis));
    lifecycle?.onStop('cache', () => this.close());
  }

  /** Without a {@link Lifecycle}, in small programs and tests, Nest's own shutdown closes them. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.lifecycle) await this.close();
  }

  private async close(): Promise<void> {
    this.endMetric?.();
    await this.redis.close();
  }
}
