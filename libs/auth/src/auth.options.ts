import type { Type } from '@nestjs/common';
import type { ConfiguredKeys } from './configured-keys.js';

export interface AuthOptions extends ConfiguredKeys {
  /** Controllers of libraries below this one that everybody may use, such as that of the health checks. */
  publicControllers?: readonly Type[];
}

export const AUTH_OPTIONS = Symbol('AUTH_OPTIONS');
