import { defineSettings, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

/** Pino's levels, from the most talkative to none. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const loggingSettings = defineSettings({
  level: setting('LOG_LEVEL', z.enum(logLevels).default('info'), {
    description: 'The least important level that is written.',
    defaults: { test: 'warn' },
  }),
  format: setting('LOG_FORMAT', z.enum(['json', 'text']).default('json'), {
    description: 'One JSON object a line, for machines, or coloured text, for people.',
    defaults: { development: 'text' },
  }),
});

export type LoggingSettings = SettingsOf<typeof loggingSettings>;
