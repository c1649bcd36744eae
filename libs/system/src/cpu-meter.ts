import { cpus } from 'node:os';
import { cpuGrant } from './cpu-limit.js';
import { cgroupOf } from './cgroup.js';
import { numberAfter, read, readNumber } from './kernel-files.js';

interface Reading {
  at: number;
  /** CPU time used so far, in ms. */
  usedMs: number;
  /** Of what it was read; readings of different things cannot be compared. */
  source: string;
}

export interface CpuMeterOptions {
  /** Where `/proc` and `/sys` are found. */
  root?: string;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** CPU time that the machine has used, in ms. */
  machine?: () => number;
}

/**
 * How busy the granted CPUs are: those of the cgroup where it has a quota (then all its processes count), else the
 * machine's.
 */
export class CpuMeter {
  private readonly root: string;
  private readonly now: () => number;
  private readonly machine: () => number;
  private last: Reading;
  private value = 0;

  constructor({ root = '/', now = () => performance.now(), machine = machineTime }: CpuMeterOptions = {}) {
    this.root = root;
    this.now = now;
    this.machine = machine;
    this.last = this.read().reading;
  }

  /** From 0 to 100, since the last call (the first time: since the meter was made). */
  percent(): number {
    const { last } = this;
    const { reading, granted } = this.read();
    const elapsed = reading.at - last.at;
    // The kernel counts in ticks: what happened within less than a few of them says nothing.
    if (elapsed < 50 && reading.source === last.source) return this.value;
    this.last = reading;
    if (reading.source === last.source) {
      const share = ((reading.usedMs - last.usedMs) / (elapsed * granted)) * 100;
      this.value = Math.min(100, Math.max(0, share));
    }
    return this.value;
  }

  private read(): { reading: Reading; granted: number } {
    const { cpus: granted, group } = cpuGrant(this.root);
    const at = this.now();
    const usedMs = group && groupTime(group, this.root);
    return usedMs === undefined
      ? { granted, reading: { at, usedMs: this.machine(), source: 'machine' } }
      : { granted, reading: { at, usedMs, source: group?.folder ?? '' } };
  }
}

function groupTime({ version, folder }: { version: 1 | 2; folder: string }, root: string): number | undefined {
  if (version === 2) {
    const microseconds = numberAfter('usage_usec', read(folder, 'cpu.stat'));
    return microseconds === undefined ? undefined : microseconds / 1e3;
  }
  // In v1 usage has a controller of its own, usually, but not always, in the same hierarchy.
  const level = cgroupOf('cpu', root)?.folders.indexOf(folder) ?? 0;
  const accounting = cgroupOf('cpuacct', root)?.folders[level] ?? folder;
  const nanoseconds = readNumber(accounting, 'cpuacct.usage');
  return nanoseconds === undefined ? undefined : nanoseconds / 1e6;
}

function machineTime(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
