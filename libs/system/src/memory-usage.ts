import { freemem, totalmem } from 'node:os';
import { type Cgroup, cgroupOf } from './cgroup.js';
import { numberAfter, read, readNumber } from './kernel-files.js';

/** Bytes of memory. */
export interface MemoryUsage {
  usedBytes: number;
  limitBytes: number;
  availableBytes: number;
  /** Whose limit it is that comes first. */
  source: 'cgroup' | 'machine';
}

/**
 * The memory that counts for this process: that of its cgroup (v2 or v1) where one has a limit below the machine's, of
 * several the one with least left; else the machine's. What the kernel can drop at once, the inactive file cache, counts
 * as available, as it does for the kubelet.
 * @param root where `/proc` and `/sys` are found
 */
export function memoryUsage(root = '/'): MemoryUsage {
  const machine = machineMemory(root);
  const cgroup = cgroupOf('memory', root);
  const groups = (cgroup?.folders ?? [])
    .map((folder) => groupMemory(folder, cgroup?.version ?? 2))
    .filter((group) => group !== undefined)
    .filter(({ limitBytes }) => limitBytes < machine.limitBytes) // v1 writes "none" as a very large number
    .sort((one, other) => one.availableBytes - other.availableBytes);
  return groups[0] ?? machine;
}

const files = {
  1: { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cache: 'total_inactive_file' },
  2: { limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' },
} as const;

function groupMemory(folder: string, version: Cgroup['version']): MemoryUsage | undefined {
  const { limit, used, cache } = files[version];
  const [limitBytes, allBytes] = [readNumber(folder, limit), readNumber(folder, used)];
  if (limitBytes === undefined || allBytes === undefined) return undefined;
  const cacheBytes = numberAfter(cache, read(folder, 'memory.stat')) ?? 0;
  return usage(limitBytes, Math.max(0, allBytes - cacheBytes), 'cgroup');
}

function machineMemory(root: string): MemoryUsage {
  const meminfo = read(root, '/proc/meminfo');
  const [total, available] = ['MemTotal', 'MemAvailable'].map((key) => numberAfter(key, meminfo));
  if (total === undefined || available === undefined) return usage(totalmem(), totalmem() - freemem(), 'machine');
  return usage(total * 1024, (total - available) * 1024, 'machine');
}

function usage(limitBytes: number, usedBytes: number, source: MemoryUsage['source']): MemoryUsage {
  return { usedBytes, limitBytes, availableBytes: Math.max(0, limitBytes - usedBytes), source };
}
