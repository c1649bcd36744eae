import { defineSettings, duration, type Fault, list, setting, size, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';
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
        'While the event loop is later than this, and for requests that have waited for so long, 503 with Retry-After is answered; 0 turns that off.',
    }),
    handlerTimeoutMs: setting('HANDLER_TIMEOUT', duration({ max: '1h' }).default(30_000), {
      description:
        'How long a handler may take until its answer begins; after it 503 is answered and the route is logged. 0 is no limit.',
    }),
    backlog: setting('LISTEN_BACKLOG', z.coerce.number().int().min(1).max(65_535).default(2_048), {
      description:
        'How many new connections may wait to be accepted. The system has a limit too (Linux: net.core.somaxconn).',
    }),
    concurrency: setting(
      'WEB_CONCURRENCY',
      z.union([z.literal('auto'), z.coerce.number().int().min(1).max(256)]).default(1),
      {
        description:
          'Processes that share the port. `auto` is one for each whole CPU that the container is granted, fewer where its memory would not suffice.',
      },
    ),
    memoryPerProcess: setting('MEMORY_PER_PROCESS', size({ min: '32MiB' }).default(256 * 2 ** 20), {
      description: 'What WEB_CONCURRENCY=auto reckons with for each process.',
    }),
    maxRequests: setting('MAX_REQUESTS', z.coerce.number().int().min(0).default(0), {
      description: 'After so many requests a process is replaced, one at a time, without a failed request. 0 is never.',
    }),
    maxRequestsJitter: setting('MAX_REQUESTS_JITTER', z.coerce.number().int().min(0).default(0), {
      description: 'Each process draws its MAX_REQUESTS from a range of so many below to so many above.',
    }),
    startTimeoutMs: setting('START_TIMEOUT', duration({ min: '1s', max: '1h' }).default(120_000), {
      description:
        'How long one of several processes may take to become ready before it counts as crashed. Keep it above what start-up waits for.',
    }),
    crashLimit: setting('CRASH_LIMIT', z.coerce.number().int().min(1).default(5), {
      description:
        'When so many processes have died within CRASH_WINDOW, each before it had served for 10 seconds, the container ends.',
    }),
    crashWindowMs: setting('CRASH_WINDOW', duration({ min: '1s', max: '1d' }).default(60_000), {
      description: 'See CRASH_LIMIT.',
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
    check(values, environment): Fault[] {
      const { trustProxy, corsOrigins, headersTimeoutMs, requestTimeoutMs, maxRequests, maxRequestsJitter } = values;
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
      if (maxRequestsJitter > 0 && maxRequestsJitter >= maxRequests) {
        faults.push({ name: 'MAX_REQUESTS_JITTER', wanted: 'less than MAX_REQUESTS' });
      }
      return faults;
    },
  },
);

export type ServerSettings = SettingsOf<typeof serverSettings>;

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
