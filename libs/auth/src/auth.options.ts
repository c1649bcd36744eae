import type { Type } from '@nestjs/common';
import type { ConfiguredKeys } from './configured-keys.js';
import type { RateLimit } from './limits/gcra.js';
import type { Access } from './require-scope.decorator.js';

/** How long what a login brings is good. */
export interface SessionLimits {
  accessTokenTtlMs: number;
  /** A session ends when its tokens were not renewed for so long. */
  sessionIdleMs: number;
  /** A session ends after so long, however much it is used. */
  sessionMaxAgeMs: number;
}

/** How often a client may come, by class of route; without a limit where it is left out. */
export interface RateLimitOptions {
  apiLimit?: RateLimit | undefined;
  loginLimit?: RateLimit | undefined;
  ingestLimit?: RateLimit | undefined;
}

export interface AuthOptions extends ConfiguredKeys, Partial<SessionLimits>, RateLimitOptions {
  /** Who may use the controllers of libraries below this one, such as those of health: they cannot say it themselves. */
  libraryControllers?: ReadonlyMap<Type, Access>;
  /** Whether cookies are for connections with TLS only; default: they are. */
  secureCookies?: boolean;
  /** How long the record of logins and of changes to access is kept; default: a year. */
  authEventsKeptMs?: number;
}

export const AUTH_OPTIONS = Symbol('AUTH_OPTIONS');

export const defaultLimits: SessionLimits = {
  accessTokenTtlMs: 15 * 60_000,
  sessionIdleMs: 7 * 86_400_000,
  sessionMaxAgeMs: 30 * 86_400_000,
};

export function sessionLimitsOf({ accessTokenTtlMs, sessionIdleMs, sessionMaxAgeMs }: AuthOptions): SessionLimits {
  return {
    accessTokenTtlMs: accessTokenTtlMs ?? defaultLimits.accessTokenTtlMs,
    sessionIdleMs: sessionIdleMs ?? defaultLimits.sessionIdleMs,
    sessionMaxAgeMs: sessionMaxAgeMs ?? defaultLimits.sessionMaxAgeMs,
  };
}
