import { type DynamicModule, Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { untilAvailable } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { ApiKeysService } from './api-keys.service.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { ScopeGuard } from './scope.guard.js';

/** How long start-up waits for a database that goes away just then. */
const PROVISION_LIMIT_MS = 60_000;

/** API keys, and the guard that closes every route of the app but those that say who may use them. */
@Global()
@Module({})
export class AuthModule implements OnModuleInit {
  static forRoot(options: AuthOptions): DynamicModule {
    return {
      module: AuthModule,
      providers: [
        { provide: AUTH_OPTIONS, useValue: options },
        ApiKeysService,
        { provide: APP_GUARD, useClass: ScopeGuard },
      ],
      exports: [ApiKeysService],
    };
  }

  constructor(
    private readonly keys: ApiKeysService,
    private readonly lifecycle: Lifecycle,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  /** The keys of the configuration are stored before the app listens. */
  async onModuleInit(): Promise<void> {
    this.lifecycle.onStop('notes on the use of API keys', () => this.keys.settled());
    await untilAvailable(() => this.keys.provision(this.options), PROVISION_LIMIT_MS);
  }
}
