import type { DynamicModule } from '@nestjs/common';
import { type ProgramInfo, type Settings, SettingsModule } from 'eyrie/config';
import { HealthModule } from 'eyrie/health';
import { LifecycleModule } from 'eyrie/lifecycle';
import { LoggingModule, redact } from 'eyrie/logging';
import { MetricsModule } from 'eyrie/metrics';
import { TracingModule } from 'eyrie/tracing';
import type { StandardSlices } from './standard-settings.js';

export interface StandardOptions {
  /** The app's name, such as `api`. */
  service: string;
  settings: Settings<StandardSlices>;
  info: ProgramInfo;
  /** Serve details of health in production too: say so where a guard closes them. */
  monitoring?: boolean;
}

/**
 * Settings, logs, metrics, traces, health and the life of the process, for the beginning of the root module's `imports`:
 * Nest ends modules in reverse, and tracing, which comes first, has to see all others end.
 *
 * @example imports: [...standardModules({ service: 'shop', settings, info }), OrdersModule]
 */
export function standardModules({ service, settings, info, monitoring }: StandardOptions): DynamicModule[] {
  const app = { ...info, service, environment: settings.environment };
  return [
    TracingModule.forRoot({ redact }),
    SettingsModule.forRoot(settings),
    LoggingModule.forRoot({ ...settings.logging, ...app }),
    MetricsModule.forRoot({ ...settings.metrics, ...app, diskPaths: settings.health.diskPaths }),
    LifecycleModule.forRoot(settings.lifecycle),
    HealthModule.forRoot({ ...settings.health, info: app, monitoring }),
  ];
}
