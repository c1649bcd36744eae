import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { diskUsage } from 'eyrie/system';
import { HEALTH_SETTINGS, type HealthSettings } from '../health.config.js';
import { resultOf, rounded, type Verdict } from './verdict.js';

/** The used part of a file system, in percent, by any path in it. */
export type ReadDisk = (path: string) => Promise<{ usedPercent: number }>;

/** Space on the file systems of DISK_PATHS; the fullest decides. A path that cannot be read fails the check. */
@Injectable()
export class DiskIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(HEALTH_SETTINGS)
    private readonly settings: Pick<HealthSettings, 'diskPaths' | 'diskDegraded' | 'diskUnhealthy'>,
  ) {}

  /** Details are the used percentages by path. */
  async check(read: ReadDisk = diskUsage): Promise<HealthIndicatorResult> {
    const used = await Promise.all(
      this.settings.diskPaths.map(async (path) => [path, rounded((await read(path)).usedPercent)] as const),
    );
    const [path = '', percent = 0] = used.toSorted(([, a], [, b]) => b - a)[0] ?? [];
    const verdict = this.verdict(percent);
    const message = verdict === 'up' ? undefined : `${path} is ${percent} % full`;
    return resultOf(this.indicators, 'disk', verdict, Object.fromEntries(used), message);
  }

  private verdict(percent: number): Verdict {
    const { diskDegraded, diskUnhealthy } = this.settings;
    if (diskUnhealthy > 0 && percent >= diskUnhealthy) return 'down';
    return diskDegraded > 0 && percent >= diskDegraded ? 'degraded' : 'up';
  }
}
