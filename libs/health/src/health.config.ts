import { defineSettings, duration, type Fault, list, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';
import { parseHttpDependency } from './indicators/http-dependency.js';

const percent = () => z.coerce.number().min(0).max(100);

/** How often the process looks at what it depends on, and from where on that is worth a word. */
export const healthSettings = defineSettings(
  {
    cacheMs: setting('HEALTH_CACHE', duration({ min: '1s', max: '1h' }).default(30_000), {
      description: 'How old a result may be in the summary and in the details; readiness has its own.',
    }),
    readyCacheMs: setting('HEALTH_READY_CACHE', duration({ min: '100ms', max: '1s' }).default(1_000), {
      description: 'How old a result may be in readiness.',
    }),
    timeoutMs: setting('HEALTH_CHECK_TIMEOUT', duration({ min: '50ms', max: '1m' }).default(2_000), {
      description: 'After this a check counts as failed, unless it says otherwise.',
    }),
    intervalMs: setting('HEALTH_INTERVAL', duration({ max: '1h' }).default(15_000), {
      description: 'How often everything is checked without being asked, for metrics and alerts; 0 turns that off.',
    }),
    alertAfterMs: setting('HEALTH_ALERT_AFTER', duration({ max: '1h' }).default(10_000), {
      description: 'How long a check must fail without a break before that counts as a change of health.',
    }),
    diskPaths: setting('DISK_PATHS', list().default(['/']), {
      description: 'The file systems to watch, by any path in each; empty for none.',
      example: '/,/var/lib/postgresql',
    }),
    diskDegraded: setting('DISK_DEGRADED', percent().default(90), {
      description: 'From this percentage of used space on a disk is degraded; 0 turns that off.',
    }),
    diskUnhealthy: setting('DISK_UNHEALTHY', percent().default(95), {
      description: 'From this percentage of used space on a disk is unhealthy; 0 turns that off.',
    }),
    memoryDegraded: setting('MEMORY_DEGRADED', percent().default(20), {
      description: 'Below this percentage of available memory the process is degraded; 0 turns that off.',
    }),
    memoryUnhealthy: setting('MEMORY_UNHEALTHY', percent().default(10), {
      description:
        'Below this percentage of what its cgroup allows the process is unhealthy and takes no requests; 0 turns that off. Without a limit of its own it is degraded at most.',
    }),
    eventLoopDegradedMs: setting('EVENT_LOOP_DEGRADED', duration({ max: '1m' }).default(200), {
      description: 'From this delay of the event loop on (99th percentile) the process is degraded; 0 turns that off.',
    }),
    httpDependencies: setting('HEALTH_HTTP_DEPENDENCIES', list().default([]), {
      description:
        'HTTP services to watch, as `name=url` or as a URL; a GET must be answered with 2xx or 3xx. They are never critical.',
      example: 'payments=https://payments.example.org/health',
    }),
  },
  {
    check({ diskDegraded, diskUnhealthy, memoryDegraded, memoryUnhealthy, httpDependencies }): Fault[] {
      const faults: Fault[] = [];
      if (diskDegraded > diskUnhealthy && diskUnhealthy > 0) {
        faults.push({ name: 'DISK_DEGRADED', wanted: 'at most DISK_UNHEALTHY' });
      }
      if (memoryDegraded < memoryUnhealthy && memoryDegraded > 0) {
        faults.push({ name: 'MEMORY_DEGRADED', wanted: 'at least MEMORY_UNHEALTHY' });
      }
      if (httpDependencies.some((text) => !parseHttpDependency(text))) {
        const wanted = 'http(s) URLs without user and password, each with a name= in front or not';
        faults.push({ name: 'HEALTH_HTTP_DEPENDENCIES', wanted });
      }
      const names = httpDependencies.map((text) => parseHttpDependency(text)?.name);
      if (new Set(names).size < names.length) {
        faults.push({ name: 'HEALTH_HTTP_DEPENDENCIES', wanted: 'a different name for each' });
      }
      return faults;
    },
  },
);

export type HealthSettings = SettingsOf<typeof healthSettings>;

/** The token of {@link HealthSettings}. */
export const HEALTH_SETTINGS = Symbol('HEALTH_SETTINGS');

/** The settings of an empty environment: an app need not have this slice. */
export function defaultHealthSettings(): HealthSettings {
  const fields = Object.entries(healthSettings.fields);
  return Object.fromEntries(fields.map(([key, { schema }]) => [key, schema.parse(undefined)])) as HealthSettings;
}
