import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

type Headers = readonly (readonly [name: string, value: string])[];

/** Helmet's headers that mean something only to a page, and would be dead weight on every other answer. */
const forPages = new Set([
  'cross-origin-opener-policy',
  'origin-agent-cluster',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
]);

/**
 * Helmet's headers, computed once: for pages, such as those below `/docs`, and for everything else, which nothing may
 * load from or frame. Without `upgrade-insecure-requests`, which breaks pages on a plain HTTP address.
 */
export function securityHeaders(): { pages: Headers; others: Headers } {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const protect = helmet({
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: { maxAge: 63_072_000, includeSubDomains: true, preload: true },
  });
  protect(response.req, response, () => undefined);
  const pages = Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  const others = pages
    .filter(([name]) => !forPages.has(name))
    .map(
      ([name, value]) =>
        [name, name === 'content-security-policy' ? "default-src 'none';frame-ancestors 'none'" : value] as const,
    );
  return { pages, others };
}
