import { describe, expect, it } from '@jest/globals';
import { RefreshCookie } from './refresh-cookie.js';

const written = (write: (cookie: RefreshCookie, reply: { header(name: string, value: string): void }) => void) => {
  const headers: [string, string][] = [];
  write(new RefreshCookie({}), { header: (name, value) => void headers.push([name, value]) });
  return headers;
};

describe('the cookie of a browser', () => {
  it('I1: is for this site, these paths and no script', () => {
    expect(written((cookie, reply) => cookie.set(reply, 'eyf_token', 60_500))).toEqual([
      ['set-cookie', '__Secure-eyrie_refresh=eyf_token; Max-Age=60; Path=/api/auth; HttpOnly; SameSite=Strict; Secure'],
    ]);
    expect(written((cookie, reply) => cookie.clear(reply))[0]![1]).toContain(
      '__Secure-eyrie_refresh=; Max-Age=0; Path',
    );
  });

  it('I1: is read among others', () => {
    const cookie = new RefreshCookie({ secureCookies: false });
    expect(cookie.read({ headers: { cookie: 'a=b; eyrie_refresh=eyf_token ;c' } })).toBe('eyf_token');
    for (const text of [undefined, '', 'a=b', 'eyrie_refresh', 'eyrie_refresh=', 'xeyrie_refresh=eyf_token']) {
      expect(cookie.read({ headers: { cookie: text } })).toBeUndefined();
    }
  });

  it.each([
    ['same-origin', 'eyf_token'],
    ['none', 'eyf_token'],
    ['same-site', undefined],
    ['cross-site', undefined],
  ])('I1: from a page that is %s: %s', (site, token) => {
    const headers = { cookie: '__Secure-eyrie_refresh=eyf_token', 'sec-fetch-site': site };
    expect(new RefreshCookie({}).read({ headers })).toBe(token);
  });
});
