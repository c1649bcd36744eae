export { CpuMeter } from './cpu-meter.js';
export { cpuLimit } from './cpu-limit.js';
export { type DiskUsage, diskUsage } from './disk-usage.js';
export { type MemoryUsage, memoryUsage } from './memory-usage.js';
