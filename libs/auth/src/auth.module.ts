import { type DynamicModule, Global, Inject, Logger, Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { RedisConnection } from 'eyrie/cache';
import { Database, untilAvailable } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { ACCESS_CHANGES } from './access-changes.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuthEvents } from './auth-events.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { Authentication } from './authentication.js';
import { Housekeeping } from './housekeeping.js';
import { SHARED_LIMITER } from './limits/limiter.js';
import { RateLimits } from './limits/rate-limits.js';
import { RedisLimiter } from './limits/redis-limiter.js';
import { ScopeGuard } from './scope.guard.js';
import { LoginBackoff } from './sessions/login-backoff.js';
import { LoginService } from './sessions/login.service.js';
import { RefreshCookie } from './sessions/refresh-cookie.js';
import { SessionsService } from './sessions/sessions.service.js';
import { Passwords } from './users/passwords.js';
import { UsersService } from './users/users.service.js';

/** How long start-up waits for a database that goes away just then. */
const PROVISION_LIMIT_MS = 60_000;

/** What controllers work with. */
const services = [
  ...[ApiKeysService, Authentication, AuthEvents, LoginService],
  ...[RateLimits, RefreshCookie, SessionsService, UsersService],
];

/** API keys, people, and the guard that closes every route of the app but those that say who may use them. */
@Global()
@Module({})
export class AuthModule implements OnModuleInit {
  private readonly logger = new Logger('Auth');

  static forRoot(options: AuthOptions): DynamicModule {
    return {
      module: AuthModule,
      providers: [
        { provide: AUTH_OPTIONS, useValue: options },
        ...services,
        ...[Housekeeping, LoginBackoff, Passwords],
        {
          provide: SHARED_LIMITER,
          useFactory: (redis?: RedisConnection) =>
            redis && redis.state !== 'off' ? new RedisLimiter(redis) : undefined,
          inject: [{ token: RedisConnection, optional: true }],
        },
        { provide: APP_GUARD, useClass: ScopeGuard },
      ],
      exports: services,
    };
  }

  constructor(
    private readonly keys: ApiKeysService,
    private readonly authentication: Authentication,
    private readonly housekeeping: Housekeeping,
    private readonly database: Database,
    private readonly lifecycle: Lifecycle,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  /** The keys of the configuration are stored before the app listens. */
  async onModuleInit(): Promise<void> {
    this.lifecycle.onStop('notes on the use of API keys', () => this.keys.settled());
    this.lifecycle.onStop('housekeeping of sessions', () => this.housekeeping.stop());
    const patience = { limitMs: PROVISION_LIMIT_MS, signal: this.lifecycle.drainSignal };
    await untilAvailable(() => this.keys.provision(this.options), patience);
    this.housekeeping.start();
    // Not awaited: without notices, what is remembered is forgotten after ten seconds anyway.
    this.database
      .listen(ACCESS_CHANGES, () => this.authentication.forget())
      .catch((error: unknown) => this.logger.debug(`No notices of changes: ${String(error)}`));
  }
}
