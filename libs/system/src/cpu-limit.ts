import { availableParallelism } from 'node:os';
import { cgroupOf } from './cgroup.js';
import { read, readNumber } from './kernel-files.js';

/** The CPUs that this process may use, and the group that grants fewer than the machine has, if one does. */
export interface CpuGrant {
  cpus: number;
  group?: { version: 1 | 2; folder: string };
}

/**
 * How many CPUs this process may use: what its cgroup (v2 or v1, or one above it) grants, at most those of the machine
 * that it may run on. May be a fraction, such as 0.5; never 0.
 * @param root where `/proc` and `/sys` are found
 */
export function cpuLimit(root = '/'): number {
  return cpuGrant(root).cpus;
}

export function cpuGrant(root: string): CpuGrant {
  const grant: CpuGrant = { cpus: machineCpus(root) };
  const cgroup = cgroupOf('cpu', root);
  for (const folder of cgroup?.folders ?? []) {
    const cpus = cgroup?.version === 2 ? quotaV2(folder) : quotaV1(folder);
    if (cgroup && cpus !== undefined && cpus < grant.cpus) {
      grant.cpus = cpus;
      grant.group = { version: cgroup.version, folder };
    }
  }
  return grant;
}

/** `cpu.max`: quota and period in microseconds, or `max`. */
function quotaV2(folder: string): number | undefined {
  const [quota, period] = (read(folder, 'cpu.max') ?? '').split(' ');
  return ratio(Number(quota), Number(period));
}

function quotaV1(folder: string): number | undefined {
  return ratio(readNumber(folder, 'cpu.cfs_quota_us') ?? -1, readNumber(folder, 'cpu.cfs_period_us') ?? 0);
}

/** No quota is `max` (NaN) or -1. */
function ratio(quota: number, period: number): number | undefined {
  return quota > 0 && period > 0 ? quota / period : undefined;
}

/** Those that affinity and cpusets leave. Node's own count is no help on Linux: it rounds a quota down to whole CPUs. */
function machineCpus(root: string): number {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read(root, '/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return availableParallelism();
  return allowed
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}
