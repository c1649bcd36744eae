import { SetMetadata } from '@nestjs/common';
import type { Scope } from './api-key.js';

/** Under this key routes and controllers keep who may use them. */
export const ACCESS = 'eyrie:access';

export type Access = { scope: Scope } | 'public';

/**
 * Lets callers in whose API key has the scope. On a controller it holds for all its routes that say nothing else.
 *
 * @example @RequireScope('ingest') @Post() create(…) {}
 */
export const RequireScope = (scope: Scope) => SetMetadata<string, Access>(ACCESS, { scope });

/** Lets everybody in. */
export const Public = () => SetMetadata<string, Access>(ACCESS, 'public');
