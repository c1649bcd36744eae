import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { memoryUsage } from 'eyrie/system';
import { HEALTH_SETTINGS, type HealthSettings } from '../health.config.js';
import { resultOf, rounded, type Verdict } from './verdict.js';

/** What `memoryUsage` of `eyrie/system` tells. */
export type ReadMemory = () => Pick<ReturnType<typeof memoryUsage>, 'limitBytes' | 'availableBytes' | 'source'>;

/**
 * What is left of the memory that the cgroup allows. Without a limit of its own the process shares the machine's with
 * others, and a scarcity that it cannot mend must not take it out of service: then it is degraded at most.
 */
@Injectable()
export class MemoryIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(HEALTH_SETTINGS) private readonly settings: Pick<HealthSettings, 'memoryDegraded' | 'memoryUnhealthy'>,
  ) {}

  check(read: ReadMemory = memoryUsage): HealthIndicatorResult {
    const { limitBytes, availableBytes, source } = read();
    const availablePercent = limitBytes > 0 ? rounded((availableBytes / limitBytes) * 100) : 100;
    const verdict = this.verdict(availablePercent, source === 'cgroup');
    const details = { availablePercent, availableBytes, limitBytes, source };
    const message = verdict === 'up' ? undefined : `${availablePercent} % of the memory is available`;
    return resultOf(this.indicators, 'memory', verdict, details, message);
  }

  private verdict(availablePercent: number, isOwn: boolean): Verdict {
    const { memoryDegraded, memoryUnhealthy } = this.settings;
    if (availablePercent < memoryUnhealthy) return isOwn ? 'down' : 'degraded';
    return availablePercent < memoryDegraded ? 'degraded' : 'up';
  }
}
