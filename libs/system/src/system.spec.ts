import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CpuMeter, cpuLimit, diskUsage, memoryUsage } from './index.js';

const MiB = 2 ** 20;
const machine = {
  '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-5,8,9\n',
  '/proc/meminfo': 'MemTotal:        8388608 kB\nMemFree:          100000 kB\nMemAvailable:    6291456 kB\n',
};
const v2 = { ...machine, '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' };
const pod = '/sys/fs/cgroup/kubepods.slice/pod7';
const own = `${pod}/app`;
const nested = { ...v2, '/proc/self/cgroup': '0::/kubepods.slice/pod7/app\n', [`${own}/cgroup.procs`]: '' };
const v1 = {
  ...machine,
  '/proc/self/cgroup': '9:name=systemd:/\n5:cpu,cpuacct:/docker/a1\n3:memory:/docker/a1\n0::/\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${4096 * MiB}\n`,
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'eyrie-system-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('cpuLimit', () => {
  it.each<[string, Record<string, string>, number]>([
    ['no cgroup: those that affinity leaves', machine, 8],
    ['v2 without a quota', { ...v2, '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
    ['v2 with half a CPU', { ...v2, '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 0.5],
    ['v2 with more than the machine has', { ...v2, '/sys/fs/cgroup/cpu.max': '3200000 100000\n' }, 8],
    ['v2 nested, own', { ...nested, [`${own}/cpu.max`]: '250000 100000', [`${pod}/cpu.max`]: 'max 100000' }, 2.5],
    ['v2 nested, a tighter parent', { ...nested, [`${own}/cpu.max`]: '4 1', [`${pod}/cpu.max`]: '3 1' }, 3],
    ['v2 outside of its namespace', { ...v2, '/proc/self/cgroup': '0::/../x\n', '/sys/fs/cgroup/cpu.max': '2 1' }, 2],
    ['v1 without a quota', v1, 8],
    ['v1 as a container sees it', { ...v1, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '150000\n' }, 1.5],
    [
      'v1 as the host sees it',
      {
        ...v1,
        '/sys/fs/cgroup/cpu,cpuacct/docker/a1/cpu.cfs_quota_us': '200000\n',
        '/sys/fs/cgroup/cpu,cpuacct/docker/a1/cpu.cfs_period_us': '50000\n',
      },
      4,
    ],
    ['v2 files that say nothing', { ...v2, '/sys/fs/cgroup/cpu.max': '\n' }, 8],
  ])('B1: %s', (_, files, limit) => {
    expect(cpuLimit(plant(files))).toBe(limit);
  });

  it('B1: where there is no /proc it is what Node knows; here it is at most the machine', () => {
    expect(cpuLimit(root)).toBeGreaterThanOrEqual(1);
    expect(cpuLimit()).toBeGreaterThan(0);
    expect(cpuLimit()).toBeLessThanOrEqual(cpus().length);
  });
});

describe('memoryUsage', () => {
  const inMachine = { source: 'machine', limitBytes: 8192 * MiB, usedBytes: 2048 * MiB, availableBytes: 6144 * MiB };

  it.each<[string, Record<string, string>, object]>([
    ['no cgroup', machine, inMachine],
    [
      'v2 without a limit',
      { ...v2, '/sys/fs/cgroup/memory.max': 'max', '/sys/fs/cgroup/memory.current': '1' },
      inMachine,
    ],
    ['v1 without a limit', v1, inMachine],
    [
      'v2, without the cache that can be dropped',
      {
        ...v2,
        '/sys/fs/cgroup/memory.max': `${512 * MiB}\n`,
        '/sys/fs/cgroup/memory.current': `${300 * MiB}\n`,
        '/sys/fs/cgroup/memory.stat': `anon 4096\nactive_file 1\ninactive_file ${100 * MiB}\nslab 1\n`,
      },
      { source: 'cgroup', limitBytes: 512 * MiB, usedBytes: 200 * MiB, availableBytes: 312 * MiB },
    ],
    [
      'v2 nested: the group with least left',
      {
        ...nested,
        [`${own}/memory.max`]: `${512 * MiB}`,
        [`${own}/memory.current`]: `${100 * MiB}`,
        [`${pod}/memory.max`]: `${1024 * MiB}`,
        [`${pod}/memory.current`]: `${1000 * MiB}`,
      },
      { source: 'cgroup', limitBytes: 1024 * MiB, usedBytes: 1000 * MiB, availableBytes: 24 * MiB },
    ],
    [
      'v1',
      {
        ...v1,
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${1024 * MiB}`,
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${600 * MiB}`,
        '/sys/fs/cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${200 * MiB}\n`,
      },
      { source: 'cgroup', limitBytes: 1024 * MiB, usedBytes: 400 * MiB, availableBytes: 624 * MiB },
    ],
  ])('D2: %s', (_, files, usage) => {
    expect(memoryUsage(plant(files))).toEqual(usage);
  });

  it('D2: without any of these files it is what Node knows', () => {
    const { limitBytes, usedBytes, availableBytes, source } = memoryUsage(root);
    expect(source).toBe('machine');
    expect(usedBytes).toBeGreaterThan(0);
    expect(usedBytes + availableBytes).toBe(limitBytes);
  });
});

describe('CpuMeter', () => {
  it('D2: v2: the share of what the quota grants, since the last call', () => {
    const stat = (ms: number) => plant({ '/sys/fs/cgroup/cpu.stat': `usage_usec ${ms * 1000}\nuser_usec 1\n` });
    plant({ ...v2, '/sys/fs/cgroup/cpu.max': '50000 100000' });
    stat(1_000);
    let at = 0;
    const meter = new CpuMeter({ root, now: () => at });
    at = 1_000;
    stat(1_250);
    expect(meter.percent()).toBe(50);
    at = 2_000;
    expect(meter.percent()).toBe(0);
    at = 3_000;
    stat(1_950); // bursts may exceed the quota for a moment
    expect(meter.percent()).toBe(100);
    at = 3_001;
    stat(1_951);
    expect(meter.percent()).toBe(100); // too soon to say anything new
  });

  it('D2: v1: usage is read beside the quota, at the same level', () => {
    plant({
      ...v1,
      '/proc/self/cgroup': '5:cpu:/docker/a1\n4:cpuacct:/docker/a1\n',
      '/sys/fs/cgroup/cpu/docker/a1/cpu.cfs_quota_us': '200000',
      '/sys/fs/cgroup/cpu/docker/a1/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpuacct/cpuacct.usage': '999999999999',
      '/sys/fs/cgroup/cpuacct/docker/a1/cpuacct.usage': '1000000000',
    });
    let at = 0;
    const meter = new CpuMeter({ root, now: () => at });
    at = 1_000;
    plant({ '/sys/fs/cgroup/cpuacct/docker/a1/cpuacct.usage': '1500000000' });
    expect(meter.percent()).toBe(25);
  });

  it('D2: without a quota, the share of the machine; what a change of the quota makes incomparable is left out', () => {
    plant(v2);
    let [at, usedMs] = [0, 0];
    const meter = new CpuMeter({ root, now: () => at, machine: () => usedMs });
    [at, usedMs] = [1_000, 2_000];
    expect(meter.percent()).toBe(25); // of 8 CPUs
    plant({ '/sys/fs/cgroup/cpu.max': '1 1', '/sys/fs/cgroup/cpu.stat': 'usage_usec 7000000' });
    at = 2_000;
    expect(meter.percent()).toBe(25);
    plant({ '/sys/fs/cgroup/cpu.stat': 'usage_usec 7500000' });
    at = 3_000;
    expect(meter.percent()).toBe(50);
  });

  it('D2: a process that keeps one CPU of the machine busy is seen', () => {
    const meter = new CpuMeter();
    const end = performance.now() + 300;
    while (performance.now() < end);
    expect(meter.percent()).toBeGreaterThan((100 / cpus().length) * 0.5);
    expect(meter.percent()).toBeLessThanOrEqual(100);
  });
});

describe('diskUsage', () => {
  it('D2: sizes as df gives them, and the device behind the innermost mount point', async () => {
    const folder = join(root, 'my data');
    mkdirSync(folder);
    plant({
      '/proc/self/mountinfo': [
        '1 0 0:1 / / rw - overlay overlay rw,lowerdir=/a',
        `2 1 8:1 / ${root} rw shared:1 - ext4 /dev/sda1 rw`,
        `3 1 8:2 / ${root}/my rw - ext4 /dev/sda2 rw`,
        `4 2 8:3 / ${root}/my\\040data rw master:1 - ext4 /dev/mapper/x\\040y rw`,
        '',
      ].join('\n'),
    });
    const usage = await diskUsage(folder, root);
    expect(usage).toMatchObject({ device: '/dev/mapper/x y', path: folder });
    expect((await diskUsage(root, root)).device).toBe('/dev/sda1');
    expect((await diskUsage(tmpdir(), root)).device).toBe('/'); // overlay is no device
    expect(usage.totalBytes).toBeGreaterThanOrEqual(usage.usedBytes + usage.availableBytes);
    expect(usage.usedPercent).toBeCloseTo((usage.usedBytes / (usage.usedBytes + usage.availableBytes)) * 100);
  });

  it('D2: without a table of mounts the path stands for the device; a path that is not there is an error', async () => {
    expect((await diskUsage(root, root)).device).toBe(root);
    await expect(diskUsage(join(root, 'missing'), root)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
