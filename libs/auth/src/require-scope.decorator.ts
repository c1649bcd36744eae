import { SetMetadata } from '@nestjs/common';
import type { Scope } from './caller.js';

/** Under this key routes and controllers keep who may use them. */
export const ACCESS = 'eyrie:access';

/** Callers with a scope; people who are logged in, whatever their role; everybody. */
export type Access = { scope: Scope } | 'signed-in' | 'public';

/**
 * Lets callers in whose API key or role has the scope. On a controller it holds for all its routes that say nothing else.
 *
 * @example @RequireScope('ingest') @Post() create(…) {}
 */
export const RequireScope = (scope: Scope) => SetMetadata<string, Access>(ACCESS, { scope });

/** Lets people in who are logged in, and no API keys: for what is their own, such as their password. */
export const SignedIn = () => SetMetadata<string, Access>(ACCESS, 'signed-in');

/** Lets everybody in. */
export const Public = () => SetMetadata<string, Access>(ACCESS, 'public');
