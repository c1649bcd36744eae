import * as z from 'zod';
import { defineSettings, duration, type Fault, flag, setting, type SettingsOf } from 'eyrie/config';
import { rateLimit } from './limits/rate-limit.setting.js';
import { likeToken } from './sessions/session-token.js';

const key = () =>
  z
    .string()
    .min(16)
    .regex(/^[\x21-\x7e]+$/, 'visible ASCII characters without blanks, as in an Authorization header')
    .refine((text) => !likeToken.test(text), 'a key that does not begin like the tokens of people, eya_ or eyf_')
    .optional();

/** API keys that come with the configuration, how long a login is good, and how often clients may come. */
export const authSettings = defineSettings(
  {
    ingestKey: setting('INGEST_KEY', key(), {
      description: 'API key with the scope `ingest`, for Prometheus and others that raise alerts. Make it random.',
      secret: true,
    }),
    operatorKey: setting('OPERATOR_KEY', key(), {
      description: 'API key with the scopes `ingest`, `read`, `respond` and `manage`. Make it random.',
      secret: true,
    }),
    accessTokenTtlMs: setting('ACCESS_TOKEN_TTL', duration({ min: '1m', max: '1h' }).prefault('15m'), {
      description: 'How long an access token is good; then the client renews it.',
    }),
    sessionIdleMs: setting('SESSION_IDLE_TIMEOUT', duration({ min: '1h', max: '90d' }).prefault('7d'), {
      description: 'A session ends when it was not used for so long.',
    }),
    sessionMaxAgeMs: setting('SESSION_MAX_AGE', duration({ min: '1h', max: '365d' }).prefault('30d'), {
      description: 'A session ends after so long, however much it is used.',
    }),
    secureCookies: setting('SECURE_COOKIES', flag().default(true), {
      description:
        'Whether browsers send the cookie of a login over TLS only. Without it, logins can be stolen on the way.',
      defaults: { development: 'false', test: 'false' },
    }),
    authEventsKeptMs: setting('AUTH_EVENTS_KEPT', duration({ min: '1d' }).prefault('365d'), {
      description: 'How long the record of logins and of changes to keys and users is kept.',
    }),
    apiLimit: setting('RATE_LIMIT_API', rateLimit().prefault('10/s burst 20'), {
      description: 'How often a client may ask: an API key, a person, or an address that shows neither.',
      defaults: { test: 'none' },
    }),
    loginLimit: setting('RATE_LIMIT_LOGIN', rateLimit().prefault('1/s burst 5'), {
      description: 'How often an address may try to log in.',
      defaults: { test: 'none' },
    }),
    ingestLimit: setting('RATE_LIMIT_INGEST', rateLimit().prefault('none'), {
      description: 'How often an API key may raise alerts.',
    }),
  },
  {
    check({ ingestKey, operatorKey, sessionIdleMs, sessionMaxAgeMs, secureCookies }, environment): Fault[] {
      const faults: Fault[] = [];
      if (operatorKey !== undefined && operatorKey === ingestKey) {
        const wanted = 'another key than INGEST_KEY, whose holders may only raise alerts';
        faults.push({ name: 'OPERATOR_KEY', wanted });
      }
      if (sessionIdleMs > sessionMaxAgeMs) {
        faults.push({ name: 'SESSION_IDLE_TIMEOUT', wanted: 'at most SESSION_MAX_AGE' });
      }
      if (environment === 'production' && !secureCookies) {
        faults.push({ name: 'SECURE_COOKIES', wanted: 'true in production' });
      }
      return faults;
    },
  },
);

export type AuthSettings = SettingsOf<typeof authSettings>;
