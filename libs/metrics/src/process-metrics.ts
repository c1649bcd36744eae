import { readdir } from 'node:fs/promises';
import { CpuMeter, type DiskUsage, diskUsage, memoryUsage } from 'eyrie/system';
import { collectDefaultMetrics, register } from 'prom-client';
import { collectionFailures } from './collection-failures.js';
import { gauge } from './gauge.js';

/** What `app_info` says. */
export interface AppInfo {
  version: string;
  environment: string;
  gitSha: string;
}

const appInfo = gauge({
  name: 'app_info',
  help: 'What runs here; always 1.',
  labels: ['version', 'environment', 'node_version', 'git_sha'],
  aggregate: 'first',
});
const cpu = gauge({
  name: 'system_cpu_usage_percent',
  help: 'How busy the CPUs are that this container may use, since the last scrape.',
  aggregate: 'first',
});
const memory = gauge({
  name: 'system_memory_usage_bytes',
  help: 'Memory used in this container or, where it has no limit, on the machine; without the cache that can be dropped.',
  aggregate: 'first',
});
const memoryLimit = gauge({
  name: 'system_memory_limit_bytes',
  help: 'Memory that this container may use, or that the machine has.',
  aggregate: 'first',
});
const diskBytes = gauge({
  name: 'system_disk_usage_bytes',
  help: 'Bytes used on the file system.',
  labels: ['device'],
  aggregate: 'first',
});
const diskPercent = gauge({
  name: 'system_disk_usage_percent',
  help: 'How full the file system is, as df counts.',
  labels: ['device'],
  aggregate: 'first',
});
const openFiles = gauge({ name: 'process_open_fds', help: 'Number of open file descriptors.' });

/** Those of prom-client's own that are left out, mostly for what they cost: lists of every handle and request. */
const unwanted = [
  'process_open_fds', // read without blocking below
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total', // the sum of nodejs_active_resources, under the name of a counter
];

/** Registers what prom-client knows of the process: CPU, memory, event-loop lag, heap, GC. Once per process. */
export function registerNodeMetrics(): void {
  if (register.getSingleMetric('nodejs_version_info')) return;
  const own = register.getSingleMetric('process_open_fds');
  register.removeSingleMetric('process_open_fds'); // prom-client refuses a name that is taken
  collectDefaultMetrics();
  for (const name of unwanted) register.removeSingleMetric(name);
  if (own) register.registerMetric(own);
}

let stopSampling: (() => void) | undefined;

/**
 * From now on each scrape samples the container's CPU, memory and disks, and says what runs here.
 * @returns what ends that
 */
export function sampleSystem({ version, environment, gitSha }: AppInfo, diskPaths: readonly string[]): () => void {
  stopSampling?.(); // a second app in the same process replaces the first
  const meter = new CpuMeter();
  const disks = diskReader(diskPaths);
  const info = { version, environment, node_version: process.version, git_sha: gitSha };
  const sources = [
    appInfo.collectFrom(() => [{ labels: info, value: 1 }]),
    cpu.collectFrom(() => meter.percent()),
    memory.collectFrom(() => memoryUsage().usedBytes),
    memoryLimit.collectFrom(() => memoryUsage().limitBytes),
    diskBytes.collectFrom(async () =>
      (await disks()).map(({ device, usedBytes }) => ({ labels: { device }, value: usedBytes })),
    ),
    diskPercent.collectFrom(async () =>
      (await disks()).map(({ device, usedPercent }) => ({ labels: { device }, value: usedPercent })),
    ),
    openFiles.collectFrom(openFileDescriptors),
  ];
  const stop = () => {
    for (const remove of sources) remove();
  };
  stopSampling = stop;
  return stop;
}

/** Reads all disks once for all that ask at the same time. Those that cannot be read are left out, and counted. */
function diskReader(paths: readonly string[]): () => Promise<DiskUsage[]> {
  let running: Promise<DiskUsage[]> | undefined;
  const read = async () => {
    const outcomes = await Promise.allSettled(paths.map((path) => diskUsage(path)));
    const usages = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
    for (let missing = outcomes.length - usages.length; missing > 0; missing -= 1) {
      collectionFailures.inc({ metric: diskBytes.definition.name });
    }
    return [...new Map(usages.map((usage) => [usage.device, usage])).values()]; // two paths may share a device
  };
  return () => (running ??= read().finally(() => (running = undefined)));
}

async function openFileDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir('/proc/self/fd')).length - 1; // but for the one that reads this list
  } catch {
    return undefined; // there is no such list outside of Linux
  }
}
