/** What the apps take of time and memory: until they are ready, and for a probe and a scrape. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '../harness/processes.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';

const TICK_MS = 10; // of /proc/<pid>/stat: sysconf(_SC_CLK_TCK) is 100 on Linux
const SETTLE_MS = 2_000;
const PROBE_ROUNDS = 7;

export interface Measured {
  name: 'api' | 'worker';
  url: string;
  program: Program;
}

const LIMITS = { api: { startMs: 1_500, memoryMiB: 160 }, worker: { startMs: 1_000, memoryMiB: 130 } };

/** Restarts an app a few times. Its readiness is polled every 20 ms, which is the figure's grain. */
export async function runStartUp({ name, program }: Measured, rounds: number): Promise<Row[]> {
  const times: number[] = [];
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await program.stop();
    const started = performance.now();
    await program.start();
    times.push(performance.now() - started);
    await sleep(SETTLE_MS);
    sizes.push(memoryMiB(program.pid!));
  }
  const { startMs, memoryMiB: most } = LIMITS[name];
  const [time, size] = [median(times), median(sizes)];
  return [
    { name: `${name}: start to ready`, unit: 'ms', eyrie: time, target: `≤ ${startMs} ms`, passed: time <= startMs },
    { name: `${name}: memory when ready`, unit: 'MiB', eyrie: size, target: `≤ ${most} MiB`, passed: size <= most },
  ];
}

/**
 * CPU time of the app for each request, all of HTTP included: an upper bound of what the event loop is held up. Medians of
 * rounds, the first of which compile what the others run.
 */
export async function runProbes({ url, program }: Measured): Promise<Row[]> {
  const cases = [
    { name: 'a cached /health/ready, CPU time', path: '/health/ready', count: 3_000, limitMs: 0.2 },
    { name: 'a scrape of /metrics, CPU time', path: '/metrics', count: 100, limitMs: 5 },
  ];
  const rows: Row[] = [];
  for (const { name, path, count, limitMs } of cases) {
    const rounds: number[] = [];
    for (let round = 0; round < PROBE_ROUNDS; round++) {
      const before = cpuMs(program.pid!);
      await ask(url + path, count);
      rounds.push((cpuMs(program.pid!) - before) / count);
    }
    const each = median(rounds);
    rows.push({ name, unit: 'ms', eyrie: each, target: `≤ ${limitMs} ms`, passed: each <= limitMs });
  }
  return rows;
}

async function ask(url: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await (await fetch(url)).arrayBuffer();
}

/** User and system time of a process so far. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident, as the kernel counts it. */
export function memoryMiB(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}
