import { hash } from 'node:crypto';

/** Longer texts are no credentials of ours; they are not even hashed. */
export const longestCredential = 512;

/**
 * What is stored of an API key or a token. A plain SHA-256 is right here, where for a password it would not be: nobody can
 * try 2^256 of them, so there is nothing that a slow hash would slow down but our own requests.
 */
export function hashCredential(credential: string): Buffer {
  return hash('sha256', credential, 'buffer');
}

/** The same in base64, which Node makes in a fifth of the time. */
export function hashCredentialAsText(credential: string): string {
  return hash('sha256', credential, 'base64');
}
