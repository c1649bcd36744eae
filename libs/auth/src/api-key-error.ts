/** What was asked of API keys cannot be done; the message tells the person who asked why. */
export class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError';
}
