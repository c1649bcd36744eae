import { AccessError } from './access-error.js';

/** What was asked of API keys cannot be done. */
export class ApiKeyError extends AccessError {
  override readonly name = 'ApiKeyError';
}
