import { type Dashboard, INSTANCES } from './dashboard.ts';
import { plot } from './panel.ts';

const WHO = '{{job}} {{instance}}';
const each = (metric: string) => `${metric}{${INSTANCES}}`;

export const runtime: Dashboard = {
  uid: 'eyrie-runtime',
  title: 'Eyrie: runtime',
  description: 'The processes of api and worker: event loop, garbage, memory.',
  byInstance: true,
  panels: [
    plot({
      title: 'CPU',
      description: 'Cores in use.',
      unit: 'short',
      queries: [[`sum by (job, instance) (rate(${each('process_cpu_seconds_total')}[$__rate_interval]))`, WHO]],
    }),
    plot({
      title: 'CPU of what the container may use',
      description: 'At 100 % it is held back.',
      unit: 'percent',
      max: 100,
      thresholds: [80, 95],
      queries: [[each('system_cpu_usage_percent'), WHO]],
    }),
    plot({
      title: 'Resident memory',
      description: 'What the kernel counts, and the limit of the container.',
      unit: 'bytes',
      queries: [
        [`sum by (job, instance) (${each('process_resident_memory_bytes')})`, WHO],
        [`max by (job) (${each('system_memory_limit_bytes')})`, '{{job}} limit'],
      ],
    }),
    plot({
      title: 'Heap in use',
      description: 'A saw that rises from tooth to tooth is a leak.',
      unit: 'bytes',
      queries: [[`sum by (job, instance) (${each('nodejs_heap_size_used_bytes')})`, WHO]],
    }),
    plot({
      title: 'Event loop lag',
      description: '99th percentile.',
      unit: 's',
      thresholds: [0.1, 0.5],
      queries: [[`max by (job, instance) (${each('nodejs_eventloop_lag_p99_seconds')})`, WHO]],
    }),
    plot({
      title: 'Time spent on garbage',
      description: 'Share of the time, by kind of collection.',
      unit: 'percentunit',
      queries: [
        [
          `sum by (job, instance, kind) (rate(${each('nodejs_gc_duration_seconds_sum')}[$__rate_interval]))`,
          `${WHO} {{kind}}`,
        ],
      ],
    }),
    plot({
      title: 'Open files and sockets',
      description: 'Of those that the process may open.',
      unit: 'percentunit',
      queries: [[`${each('process_open_fds')} / ${each('process_max_fds')}`, WHO]],
    }),
    plot({
      title: 'States of life',
      description: 'Processes that start, serve and drain.',
      unit: 'short',
      stacked: true,
      queries: [[`sum by (job, state) (${each('lifecycle_state')})`, '{{job}} {{state}}']],
    }),
    plot({
      title: 'Health checks',
      description: '1 healthy, 0.5 degraded, 0 unhealthy; the worst of each check.',
      unit: 'short',
      max: 1,
      queries: [[`min by (job, check) (${each('health_status')})`, '{{job}} {{check}}']],
    }),
    plot({
      title: 'Time since the start',
      description: 'A line that falls to zero again and again is a crash loop.',
      unit: 's',
      queries: [[`time() - min by (job, instance) (${each('process_start_time_seconds')})`, WHO]],
    }),
  ],
};
