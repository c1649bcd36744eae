import { ApiKeys1763800000000 } from './migrations/1763800000000-api-keys.js';

export { type ApiKey, type Caller, type Scope, scopes } from './api-key.js';
export { ApiKeyError } from './api-key-error.js';
export { ApiKeysService } from './api-keys.service.js';
export { authSettings, type AuthSettings } from './auth.config.js';
export { AuthModule } from './auth.module.js';
export type { AuthOptions } from './auth.options.js';
export type { ConfiguredKeys } from './configured-keys.js';
export { keysCli, type Streams } from './keys-cli.js';
export { Public, RequireScope } from './require-scope.decorator.js';
export { type AuthenticatedRequest, ScopeGuard } from './scope.guard.js';

/** What this library's tables need, for `migrate()`. */
export const authMigrations = [ApiKeys1763800000000];
