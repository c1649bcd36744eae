import { randomBytes } from 'node:crypto';

/** How access tokens begin: sent with requests, good for minutes. No API key begins so. */
const accessPrefix = 'eya_';
/** How refresh tokens begin: sent only to get the next pair of tokens, good once. */
const refreshPrefix = 'eyf_';

export type TokenKind = 'access' | 'refresh';

/** A new token: 256 random bits, of no meaning outside the table that holds its hash. */
export function generateToken(kind: TokenKind): string {
  return (kind === 'access' ? accessPrefix : refreshPrefix) + randomBytes(32).toString('base64url');
}

/** Whether a bearer token is one of a session, rather than an API key. */
export function isAccessToken(token: string): boolean {
  return token.startsWith(accessPrefix);
}

/** What API keys may not look like. */
export const likeToken = new RegExp(`^(${accessPrefix}|${refreshPrefix})`);
