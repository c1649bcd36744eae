import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthAnswers } from './health-answers.js';
import { HEALTH_INFO, type HealthInfo } from './health-info.js';
import { HealthMetrics } from './health-metrics.js';
import { HealthRegistry } from './health-registry.js';
import { HealthRounds } from './health-rounds.js';
import { defaultHealthSettings, HEALTH_SETTINGS, type HealthSettings } from './health.config.js';
import { HealthController } from './health.controller.js';
import { DiskIndicator } from './indicators/disk.indicator.js';
import { EventLoopIndicator } from './indicators/event-loop.indicator.js';
import { HttpIndicator } from './indicators/http.indicator.js';
import { MemoryIndicator } from './indicators/memory.indicator.js';
import { MonitoringController } from './monitoring.controller.js';
import { SystemChecks } from './system-checks.js';

/** The settings, each of which has a default, and what the app says of itself. */
export interface HealthOptions extends Partial<HealthSettings> {
  info?: HealthInfo;
  /**
   * Whether to serve {@link MonitoringController}, which tells of the inside. By default in every environment but
   * production, where it wants authentication: say `true` where a guard closes it.
   */
  monitoring?: boolean;
}

/**
 * Health endpoints, metrics and changes over the checks that other libraries register, with Terminus' indicators at hand
 * for them.
 *
 * @example HealthModule.forRoot({ ...settings.health, info: { ...info, service: 'api', environment } })
 */
@Global()
@Module({})
export class HealthModule {
  static forRoot({ info, monitoring, ...settings }: HealthOptions = {}): DynamicModule {
    const isOpen = monitoring ?? (info !== undefined && info.environment !== 'production');
    return {
      module: HealthModule,
      // Its own log lines would repeat those of the registry.
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController, ...(isOpen ? [MonitoringController] : [])],
      providers: [
        { provide: HEALTH_SETTINGS, useValue: { ...defaultHealthSettings(), ...settings } },
        ...(info ? [{ provide: HEALTH_INFO, useValue: info }] : []),
        HealthRegistry,
        HealthAnswers,
        HealthRounds,
        HealthMetrics,
        DiskIndicator,
        MemoryIndicator,
        EventLoopIndicator,
        HttpIndicator,
        SystemChecks,
      ],
      exports: [HealthRegistry, TerminusModule, HttpIndicator],
    };
  }
}
