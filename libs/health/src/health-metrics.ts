import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { gauge } from 'eyrie/metrics';
import type { CheckResult, HealthStatus } from './health-check.js';
import { HealthRegistry } from './health-registry.js';

/** Of several processes the worst counts. */
export const healthStatus = gauge({
  name: 'health_status',
  help: 'State of a health check: 1 healthy, 0.5 degraded, 0 unhealthy.',
  labels: ['check'],
  aggregate: 'min',
});

export const healthCheckDuration = gauge({
  name: 'health_check_duration_seconds',
  help: 'How long a health check took when it ran last.',
  labels: ['check'],
  aggregate: 'max',
});

const valueOf: Readonly<Record<HealthStatus, number>> = { healthy: 1, degraded: 0.5, unhealthy: 0 };

/** One in most programs; several where apps share a process. */
const registries = new Set<HealthRegistry>();

healthStatus.collectFrom(() => collect(({ status }) => valueOf[status], Math.min));
healthCheckDuration.collectFrom(() => collect(({ durationMs }) => durationMs / 1000, Math.max));

/** Reads the last results: a scrape runs no check, and what is not registered any more vanishes. */
function collect(valueOf: (result: CheckResult) => number, join: (...values: number[]) => number) {
  const values = new Map<string, number>();
  for (const { definition, result } of [...registries].flatMap((registry) => registry.results())) {
    const value = valueOf(result);
    values.set(definition.name, join(value, values.get(definition.name) ?? value));
  }
  return [...values].map(([check, value]) => ({ labels: { check }, value }));
}

/** Makes health a metric. */
@Injectable()
export class HealthMetrics implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly registry: HealthRegistry) {}

  onModuleInit(): void {
    registries.add(this.registry);
  }

  onApplicationShutdown(): void {
    registries.delete(this.registry);
  }
}
