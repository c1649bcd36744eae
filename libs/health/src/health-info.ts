import { hostname } from 'node:os';
import type { ProgramInfo } from 'eyrie/config';

/** What an app says of itself. */
export interface HealthInfo extends ProgramInfo {
  service: string;
  environment: string;
}

/** The token of {@link HealthInfo}; absent where the app says nothing. */
export const HEALTH_INFO = Symbol('HEALTH_INFO');

/** The answer of `/monitoring/info`. */
export interface RunningInfo extends Partial<HealthInfo> {
  node: string;
  /** Of the host or container. */
  instance: string;
  pid: number;
  /** RFC 3339. */
  startedAt: string;
  uptimeSeconds: number;
}

/** Which program this is, and since when and where it runs. */
export function runningInfo(info?: HealthInfo): RunningInfo {
  const uptime = process.uptime();
  return {
    ...info,
    node: process.versions.node,
    instance: hostname(),
    pid: process.pid,
    startedAt: info?.startedAt ?? new Date(Date.now() - uptime * 1000).toISOString(),
    uptimeSeconds: Math.floor(uptime),
  };
}
