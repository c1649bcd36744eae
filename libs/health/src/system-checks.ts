import { Inject, Injectable } from '@nestjs/common';
import { HEALTH_SETTINGS, type HealthSettings } from './health.config.js';
import { HealthRegistry } from './health-registry.js';
import { DiskIndicator } from './indicators/disk.indicator.js';
import { EventLoopIndicator } from './indicators/event-loop.indicator.js';
import { parseHttpDependency } from './indicators/http-dependency.js';
import { HttpIndicator } from './indicators/http.indicator.js';
import { MemoryIndicator } from './indicators/memory.indicator.js';

/**
 * Registers what every process has: disk, memory, event loop, and the HTTP services of HEALTH_HTTP_DEPENDENCIES. They
 * are shown in the details; only memory that runs out takes the process out of service.
 */
@Injectable()
export class SystemChecks {
  constructor(
    registry: HealthRegistry,
    @Inject(HEALTH_SETTINGS) settings: HealthSettings,
    disk: DiskIndicator,
    memory: MemoryIndicator,
    eventLoop: EventLoopIndicator,
    http: HttpIndicator,
  ) {
    const { diskPaths, diskDegraded, diskUnhealthy, memoryDegraded, memoryUnhealthy, eventLoopDegradedMs } = settings;
    if (diskPaths.length > 0 && diskDegraded + diskUnhealthy > 0) {
      registry.register({ name: 'disk', critical: true, groups: ['detailed'], check: () => disk.check() });
    }
    if (memoryDegraded + memoryUnhealthy > 0) {
      registry.register({
        name: 'memory',
        critical: true,
        groups: ['ready', 'detailed'],
        quiet: true,
        check: () => memory.check(),
      });
    }
    if (eventLoopDegradedMs > 0) {
      registry.register({ name: 'event_loop', critical: false, groups: ['detailed'], check: () => eventLoop.check() });
    }
    for (const dependency of settings.httpDependencies.flatMap((text) => parseHttpDependency(text) ?? [])) {
      registry.register({
        // A name of its own kind: it must not take the place of, say, the database's check.
        name: `http:${dependency.name}`,
        critical: false,
        groups: ['detailed'],
        check: (signal) => http.check(dependency, signal),
      });
    }
  }
}
