import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HEALTH_SETTINGS, type HealthSettings } from './health.config.js';
import { HealthRegistry } from './health-registry.js';

const firstRoundMs = 1_000;

/** Checks everything from time to time, so that metrics and alerts live without anybody asking. */
@Injectable()
export class HealthRounds implements OnApplicationBootstrap, OnModuleDestroy {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly registry: HealthRegistry,
    @Inject(HEALTH_SETTINGS) private readonly settings: Pick<HealthSettings, 'intervalMs'>,
  ) {}

  onApplicationBootstrap(): void {
    const { intervalMs } = this.settings;
    if (intervalMs > 0) this.plan(Math.min(firstRoundMs, intervalMs));
  }

  /** Draining begins: from here on resources may close. */
  onModuleDestroy(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private plan(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.plan(this.settings.intervalMs);
      const state = this.registry.processState;
      if (state === 'draining' || state === 'stopped') return;
      // What probes keep fresh need not be looked at once more.
      void this.registry.refresh('detailed', this.settings.intervalMs / 2);
    }, delayMs);
    this.timer.unref();
  }
}
