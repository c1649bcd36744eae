import { cpuLimit, memoryUsage } from 'eyrie/system';

export interface Machine {
  cpus: number;
  memoryBytes: number;
}

/**
 * How many processes to run: the number that was set, or for `auto` one per whole CPU that the container is granted,
 * fewer where its memory would not suffice, and at least one.
 */
export function processCount(
  concurrency: number | 'auto',
  memoryPerProcess: number,
  machine: () => Machine = () => ({ cpus: cpuLimit(), memoryBytes: memoryUsage().limitBytes }),
): number {
  if (concurrency !== 'auto') return concurrency;
  const { cpus, memoryBytes } = machine();
  return Math.max(1, Math.floor(Math.min(cpus, memoryBytes / memoryPerProcess)));
}
