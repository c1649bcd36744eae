import type { Dashboard } from './dashboard.ts';
import { plot, row } from './panel.ts';

const DATABASE = 'datname="eyrie"';
/** Not what only exists in memory, nor what is mounted into containers. */
const DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs"';

export const dependencies: Dashboard = {
  uid: 'eyrie-dependencies',
  title: 'Eyrie: dependencies',
  description: 'PostgreSQL, Redis, Nginx and the host.',
  panels: [
    row('PostgreSQL'),
    plot({
      title: 'Transactions',
      description: 'Committed and rolled back.',
      unit: 'ops',
      queries: [
        [`rate(pg_stat_database_xact_commit{${DATABASE}}[$__rate_interval])`, 'committed'],
        [`rate(pg_stat_database_xact_rollback{${DATABASE}}[$__rate_interval])`, 'rolled back'],
      ],
    }),
    plot({
      title: 'Connections',
      description: 'By state, and how many there may be.',
      unit: 'short',
      queries: [
        [`sum by (state) (pg_stat_activity_count{${DATABASE}})`, '{{state}}'],
        ['max(pg_settings_max_connections)', 'most'],
      ],
    }),
    plot({
      title: 'Size',
      description: 'Of the database on disk.',
      unit: 'bytes',
      queries: [[`pg_database_size_bytes{${DATABASE}}`, 'eyrie']],
    }),
    plot({
      title: 'Read from memory',
      description: 'Share of blocks that were found in shared buffers; far below 99 % they are too small.',
      unit: 'percentunit',
      max: 1,
      queries: [
        [
          `rate(pg_stat_database_blks_hit{${DATABASE}}[$__rate_interval]) / (rate(pg_stat_database_blks_hit{${DATABASE}}[$__rate_interval]) + rate(pg_stat_database_blks_read{${DATABASE}}[$__rate_interval]))`,
          'hit rate',
        ],
      ],
    }),
    row('Redis'),
    plot({
      title: 'Commands',
      description: 'Processed a second.',
      unit: 'ops',
      queries: [['rate(redis_commands_processed_total[$__rate_interval])', 'commands']],
    }),
    plot({
      title: 'Memory and clients',
      description: 'Redis only makes things faster or wider: without it the service is degraded.',
      unit: 'bytes',
      queries: [
        ['redis_memory_used_bytes', 'memory'],
        ['redis_connected_clients', 'clients'],
      ],
    }),
    row('Nginx'),
    plot({
      title: 'Requests',
      description: 'Of all, those of the apps included.',
      unit: 'reqps',
      queries: [['rate(nginx_http_requests_total[$__rate_interval])', 'requests']],
    }),
    plot({
      title: 'Connections',
      description: 'Of clients, by what they do.',
      unit: 'short',
      queries: [
        ['nginx_connections_active', 'active'],
        ['nginx_connections_waiting', 'idle'],
        ['nginx_connections_writing', 'being answered'],
      ],
    }),
    row('Host'),
    plot({
      title: 'CPU',
      description: 'Share in use of all cores.',
      unit: 'percentunit',
      max: 1,
      thresholds: [0.8, 0.95],
      queries: [['1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', 'in use']],
    }),
    plot({
      title: 'Memory',
      description: 'Share in use, without caches.',
      unit: 'percentunit',
      max: 1,
      thresholds: [0.8, 0.9],
      queries: [['1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', 'in use']],
    }),
    plot({
      title: 'Disks',
      description: 'Share in use.',
      unit: 'percentunit',
      max: 1,
      thresholds: [0.8, 0.9],
      queries: [[`1 - node_filesystem_avail_bytes{${DISKS}} / node_filesystem_size_bytes{${DISKS}}`, '{{mountpoint}}']],
    }),
    plot({
      title: 'Backups',
      description: 'Age of the last good one by kind, and of the last restore drill.',
      unit: 's',
      queries: [
        ['time() - max by (kind) (backup_last_success_timestamp_seconds)', '{{kind}}'],
        ['time() - max(restore_drill_last_success_timestamp_seconds)', 'restore drill'],
      ],
    }),
  ],
};
