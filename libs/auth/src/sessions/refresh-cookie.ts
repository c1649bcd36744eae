import { Inject, Injectable } from '@nestjs/common';
import { AUTH_OPTIONS, type AuthOptions } from '../auth.options.js';

/** Where the cookie goes; nowhere else has a use for it. */
const path = '/api/auth';

interface CookieRequest {
  headers: { cookie?: string | undefined; 'sec-fetch-site'?: string | string[] | undefined };
}

interface CookieReply {
  header(name: string, value: string): unknown;
}

/**
 * The refresh token of a browser, in a cookie that no script can read. It comes with no request that another site caused
 * (SameSite=Strict), nor, where the browser says so, one of another origin of the same site.
 */
@Injectable()
export class RefreshCookie {
  private readonly name: string;
  private readonly attributes: string;

  constructor(@Inject(AUTH_OPTIONS) { secureCookies = true }: AuthOptions) {
    // The prefix keeps a page without TLS from setting a cookie of this name (RFC 6265bis, 4.1.3.1).
    this.name = secureCookies ? '__Secure-eyrie_refresh' : 'eyrie_refresh';
    this.attributes = `Path=${path}; HttpOnly; SameSite=Strict${secureCookies ? '; Secure' : ''}`;
  }

  read({ headers }: CookieRequest): string | undefined {
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return undefined;
    for (const pair of headers.cookie?.split(';') ?? []) {
      const [name, value] = pair.split('=', 2);
      if (name?.trim() === this.name) return value?.trim() || undefined;
    }
    return undefined;
  }

  set(reply: CookieReply, token: string, forMs: number): void {
    reply.header('set-cookie', `${this.name}=${token}; Max-Age=${Math.floor(forMs / 1_000)}; ${this.attributes}`);
  }

  clear(reply: CookieReply): void {
    reply.header('set-cookie', `${this.name}=; Max-Age=0; ${this.attributes}`);
  }
}
