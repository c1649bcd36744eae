import { ApiKeys1763800000000 } from './migrations/1763800000000-api-keys.js';
import { People1763900000000 } from './migrations/1763900000000-people.js';

export { AccessError, type AccessFault } from './access-error.js';
export { type ApiKey } from './api-key.js';
export { ApiKeyError } from './api-key-error.js';
export { ApiKeysService } from './api-keys.service.js';
export { authSettings, type AuthSettings } from './auth.config.js';
export { type Actor, type AuthEvent, AuthEvents, type AuthEventType, authEventTypes } from './auth-events.js';
export { AuthModule } from './auth.module.js';
export type { AuthOptions } from './auth.options.js';
export { Authentication } from './authentication.js';
export {
  actorOf,
  type Caller,
  type KeyCaller,
  type Role,
  roles,
  type Scope,
  scopes,
  scopesOf,
  type UserCaller,
} from './caller.js';
export { type Client, clientOf, networkOf } from './client.js';
export type { ConfiguredKeys } from './configured-keys.js';
export { keysCli, type Streams } from './keys-cli.js';
export type { RateLimit, Spent } from './limits/gcra.js';
export { SHARED_LIMITER, type SharedLimiter } from './limits/limiter.js';
export { monitoringAccess } from './monitoring-access.js';
export { RateLimited, type RateLimitClass } from './limits/rate-limit.decorator.js';
export { RateLimits } from './limits/rate-limits.js';
export { type Access, Public, RequireScope, SignedIn } from './require-scope.decorator.js';
export { type AuthenticatedRequest, ScopeGuard } from './scope.guard.js';
export { type LoginResult, LoginService } from './sessions/login.service.js';
export { RefreshCookie } from './sessions/refresh-cookie.js';
export {
  type Refreshed,
  type Session,
  type SessionOwner,
  SessionsService,
  type SessionTokens,
} from './sessions/sessions.service.js';
export { adminCli, type AdminTools, adminTools } from './users/admin-cli.js';
export { askSecret } from './users/ask-secret.js';
export { longestPassword, shortestPassword } from './users/password-policy.js';
export { PasswordsBusyError } from './users/passwords.js';
export type { User } from './users/user.js';
export { type NewUser, type UserChanges, UsersService } from './users/users.service.js';

/** What this library's tables need, for `migrate()`. */
export const authMigrations = [ApiKeys1763800000000, People1763900000000];
