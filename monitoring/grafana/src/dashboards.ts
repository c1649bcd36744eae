import { type Dashboard } from './dashboard.ts';
import { dependencies } from './dependencies.ts';
import { hub } from './hub.ts';
import { runtime } from './runtime.ts';
import { service } from './service.ts';
import { slo } from './slo.ts';

export const dashboards: readonly Dashboard[] = [service, hub, runtime, dependencies, slo];
