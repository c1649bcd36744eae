import {
  type DynamicModule,
  Global,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { LifecycleSettings } from './lifecycle.config.js';
import { Lifecycle } from './lifecycle.js';

/** The token of {@link LifecycleSettings}. */
export const LIFECYCLE_SETTINGS = Symbol('LIFECYCLE_SETTINGS');

/**
 * Ties {@link Lifecycle} to Nest's shutdown: `app.close()`, however it is called, drains and runs every stop.
 *
 * Nest calls `onModuleDestroy`, then `beforeApplicationShutdown`, then closes HTTP, then calls `onApplicationShutdown`.
 * Stops belong in the last: whatever closes earlier closes under requests that are still being answered.
 */
@Global()
@Module({})
export class LifecycleModule implements OnModuleDestroy, OnApplicationShutdown {
  constructor(@Inject(Lifecycle) private readonly lifecycle: Lifecycle) {}

  static forRoot(settings: LifecycleSettings): DynamicModule {
    return {
      module: LifecycleModule,
      providers: [Lifecycle, { provide: LIFECYCLE_SETTINGS, useValue: settings }],
      exports: [Lifecycle, LIFECYCLE_SETTINGS],
    };
  }

  onModuleDestroy(): void {
    this.lifecycle.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lifecycle.stop();
  }
}
