import type { Type } from '@nestjs/common';
import { HealthController, MonitoringController } from 'eyrie/health';
import { LoggersController } from 'eyrie/logging';
import { MetricsController } from 'eyrie/metrics';
import type { Access } from './require-scope.decorator.js';

/**
 * Who may use what the libraries below serve: probes and scrapes everybody who reaches the port, details of health
 * whoever may read, levels of loggers whoever may manage.
 */
export const monitoringAccess: ReadonlyMap<Type, Access> = new Map<Type, Access>([
  [HealthController, 'public'],
  [MetricsController, 'public'],
  [MonitoringController, { scope: 'read' }],
  [LoggersController, { scope: 'manage' }],
]);
