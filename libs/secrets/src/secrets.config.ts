import { defineSettings, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';
import { EncryptionKeys } from './encryption-keys.js';

const wanted = 'keys such as 2026-11:<base64 of 32 bytes>, separated by commas';

const keys = z
  .string()
  .transform((text, context): EncryptionKeys => {
    try {
      return EncryptionKeys.parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${wanted} (${(error as Error).message})` });
      return z.NEVER;
    }
  })
  .describe(wanted);

/** The keys of what lies encrypted at rest. */
export const secretsSettings = defineSettings({
  encryptionKeys: setting('ENCRYPTION_KEYS', keys.optional(), {
    description:
      'Keys of encrypted values in `ALERTS_CONFIG` and the files it names: the first encrypts, all decrypt. `npm run -s secrets -- key` makes one; docs/secrets.md tells how to change it.',
    secret: true,
  }),
});

export type SecretsSettings = SettingsOf<typeof secretsSettings>;
