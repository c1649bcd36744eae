import { defineSettings, duration, setting, type SettingsOf } from 'eyrie/config';

/** How a process ends: see {@link Lifecycle} for the states it passes. */
export const lifecycleSettings = defineSettings(
  {
    drainDelayMs: setting('DRAIN_DELAY', duration({ max: '10m' }).default(0), {
      description:
        'How long to go on serving after a stop was asked for, while readiness already answers 503: the time load balancers need to notice.',
      defaults: { staging: '5s', production: '5s' },
    }),
    shutdownTimeoutMs: setting('SHUTDOWN_TIMEOUT', duration({ min: '1s', max: '1h' }).default(30_000), {
      description:
        'The most a whole shutdown may take, drain delay included; after it the process ends with status 1. Keep it below the grace period of the orchestrator.',
    }),
  },
  {
    check({ drainDelayMs, shutdownTimeoutMs }) {
      if (drainDelayMs < shutdownTimeoutMs) return [];
      return [{ name: 'DRAIN_DELAY', wanted: 'less than SHUTDOWN_TIMEOUT, which includes it' }];
    },
  },
);

export type LifecycleSettings = SettingsOf<typeof lifecycleSettings>;
