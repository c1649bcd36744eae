import { defineSettings, duration, type Fault, list, setting, size, type SettingsOf } from 'eyrie/config';
import { z } from 'zod';
import { parseTrust } from './trust.js';

/** The limits of the HTTP server, and whom it believes. */
export const serverSettings = defineSettings(
  {
    host: setting('HOST', z.string().min(1).default('0.0.0.0'), {
      description: 'The address to listen on.',
      defaults: { development: '127.0.0.1', test: '127.0.0.1' },
    }),
    bodyLimit: setting('BODY_LIMIT', size({ min: '1KiB', max: '64MiB' }).default(2 * 2 ** 20), {
      description: 'The largest request body; a larger one is answered with 413.',
    }),
    requestTimeoutMs: setting('REQUEST_TIMEOUT', duration({ min: '1s', max: '1h' }).default(120_000), {
      description: 'How long a client may take to send a whole request; after it 408 is answered.',
    }),
    headersTimeoutMs: setting('HEADERS_TIMEOUT', duration({ min: '1s', max: '10m' }).default(15_000), {
      description: 'How long a client may take to send the headers of a request.',
    }),
    keepAliveTimeoutMs: setting('KEEP_ALIVE_TIMEOUT', duration({ min: '1s', max: '1h' }).default(72_000), {
      description:
        'How long an idle connection stays open. Keep it longer than that of the proxy in front (nginx: 60s), or the proxy sends requests into closing connections.',
    }),
    maxConnections: setting('MAX_CONNECTIONS', z.coerce.number().int().min(1).default(10_000), {
      description: 'The most connections at once; further ones are closed unanswered.',
    }),
    drainTimeoutMs: setting('REQUEST_DRAIN_TIMEOUT', duration({ min: '100ms', max: '1h' }).default(15_000), {
      description:
        'How long a shutdown waits for requests in flight before it cuts them off, so that the rest can still be closed. Keep it below SHUTDOWN_TIMEOUT.',
    }),
    overloadDelayMs: setting('OVERLOAD_DELAY', duration({ max: '1m' }).default(1_000), {
      description:
        'Above this delay of the event loop requests are answered with 503 and Retry-After; 0 turns that off.',
    }),
    trustProxy: setting('TRUST_PROXY', list().default(['loopback']), {
      description:
        'Who may set X-Forwarded-* and X-Request-ID: addresses, networks such as 10.0.0.0/8, `loopback`, `private`; `none` for nobody.',
    }),
    corsOrigins: setting('CORS_ORIGINS', list().default([]), {
      description: 'The web origins whose pages may call this server. `*` allows all, but not in production.',
      example: 'https://console.example.org',
    }),
  },
  {
    check({ trustProxy, corsOrigins, headersTimeoutMs, requestTimeoutMs }, environment): Fault[] {
      const faults: Fault[] = [];
      const strangers = trustProxy.filter((entry) => parseTrust(entry) === undefined);
      if (strangers.length > 0) {
        const wanted = 'addresses, networks, loopback, private or none';
        faults.push({ name: 'TRUST_PROXY', wanted, given: strangers.join(',') });
      }
      if (trustProxy.includes('none') && trustProxy.length > 1) {
        faults.push({ name: 'TRUST_PROXY', wanted: 'none alone, or a list without it' });
      }
      if (environment === 'production' && corsOrigins.includes('*')) {
        faults.push({ name: 'CORS_ORIGINS', wanted: 'a list of origins: * is refused in production' });
      }
      const badOrigins = corsOrigins.filter((origin) => origin !== '*' && !isOrigin(origin));
      if (badOrigins.length > 0) {
        const wanted = 'origins such as https://console.example.org, without a path';
        faults.push({ name: 'CORS_ORIGINS', wanted, given: badOrigins.join(',') });
      }
      if (headersTimeoutMs > requestTimeoutMs) {
        faults.push({ name: 'HEADERS_TIMEOUT', wanted: 'at most REQUEST_TIMEOUT, which includes it' });
      }
      return faults;
    },
  },
);

export type ServerSettings = SettingsOf<typeof serverSettings>;

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
