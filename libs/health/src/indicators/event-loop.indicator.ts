import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { HEALTH_SETTINGS, type HealthSettings } from '../health.config.js';
import { resultOf, rounded } from './verdict.js';

const resolutionMs = 20;

/** How late the event loop came to its work since the last look. That alone degrades, never more. */
@Injectable()
export class EventLoopIndicator implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly delay = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(HEALTH_SETTINGS) private readonly settings: Pick<HealthSettings, 'eventLoopDegradedMs'>,
  ) {}

  /** Not before: loading the program blocks the event loop, and says nothing of how it runs. */
  onApplicationBootstrap(): void {
    if (this.settings.eventLoopDegradedMs > 0) this.delay.enable();
  }

  onApplicationShutdown(): void {
    this.delay.disable();
  }

  check(): HealthIndicatorResult {
    const details = { meanMs: this.late(this.delay.mean), p99Ms: this.late(this.delay.percentile(99)) };
    this.delay.reset();
    const isLate = details.p99Ms >= this.settings.eventLoopDegradedMs;
    const message = isLate ? `the event loop is ${details.p99Ms} ms late` : undefined;
    return resultOf(this.indicators, 'event_loop', isLate ? 'degraded' : 'up', details, message);
  }

  /** The histogram counts the whole interval between two ticks, its own resolution included; empty it has no mean. */
  private late(nanoseconds: number): number {
    return this.delay.count > 0 ? Math.max(0, rounded(nanoseconds / 1e6 - resolutionMs)) : 0;
  }
}
