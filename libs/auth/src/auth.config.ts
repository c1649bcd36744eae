import { z } from 'zod';
import { defineSettings, setting, type SettingsOf } from 'eyrie/config';

const key = () =>
  z
    .string()
    .min(16)
    .regex(/^[\x21-\x7e]+$/, 'visible ASCII characters without blanks, as in an Authorization header')
    .optional();

/** API keys that come with the configuration, so that other programs can be given them as files. */
export const authSettings = defineSettings(
  {
    ingestKey: setting('INGEST_KEY', key(), {
      description: 'API key with the scope `ingest`, for Prometheus and others that raise alerts. Make it random.',
      secret: true,
    }),
    operatorKey: setting('OPERATOR_KEY', key(), {
      description: 'API key with the scopes `ingest`, `read` and `manage`. Make it random.',
      secret: true,
    }),
  },
  {
    check: ({ ingestKey, operatorKey }) =>
      operatorKey !== undefined && operatorKey === ingestKey
        ? [{ name: 'OPERATOR_KEY', wanted: 'another key than INGEST_KEY, whose holders may only raise alerts' }]
        : [],
  },
);

export type AuthSettings = SettingsOf<typeof authSettings>;
