import { defineSettings, duration, flag, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';
import { type NotifySettings } from './notify/index.js';

export const alertsSettings = defineSettings(
  {
    configFile: setting('ALERTS_CONFIG', z.string().min(1).optional(), {
      description:
        "Routes and receivers, a file in Alertmanager's format. Without it alerts are stored and nobody is told.",
      example: '/etc/eyrie/alertmanager.yml',
    }),
    escalationsFile: setting('ESCALATIONS_CONFIG', z.string().min(1).optional(), {
      description: 'Whom to tell when nobody acknowledges an alert, a file in a format of our own; see docs/adr/0006.',
      example: '/etc/eyrie/escalations.yml',
    }),
    externalUrl: setting('EXTERNAL_URL', z.url({ protocol: /^https?$/ }).default('http://localhost:3000'), {
      description: 'Where people reach the API; stands in notifications.',
    }),
    healthAlerts: setting('HEALTH_ALERTS', flag().default(true), {
      description: 'Raise an alert `HealthCheckFailed` while a health check of api or worker fails.',
    }),
    retentionMs: setting('HISTORY_KEPT', duration().default(90 * 86_400_000), {
      description: 'How long resolved alerts and settled notifications are kept.',
    }),
    auditKeptMs: setting('AUDIT_KEPT', duration({ min: '1d' }).default(365 * 86_400_000), {
      description: 'How long the record is kept of who changed what about alerts and heartbeats.',
    }),
  },
  {
    check: ({ configFile }, environment) =>
      environment === 'production' && !configFile
        ? [{ name: 'ALERTS_CONFIG', wanted: 'a file in production, or nobody would be told of an alert' }]
        : [],
  },
);

export type AlertsSettings = SettingsOf<typeof alertsSettings>;

export const ALERTS_OPTIONS = Symbol('eyrie:alerts-options');

export interface AlertsOptions extends Omit<AlertsSettings, 'auditKeptMs'> {
  /** Without it the audit log is kept for ever. */
  auditKeptMs?: number;
  /** Of the running program: in `User-Agent` and in the answers of the status API. */
  version: string;
  notify: NotifySettings;
}
