import { type Dashboard, INSTANCES } from './dashboard.ts';
import { plot, row, stat } from './panel.ts';

const rate = (metric: string, more = '') => `rate(${metric}{${INSTANCES}${more}}[$__rate_interval])`;
/** Probes and scrapes say nothing about clients. */
const CLIENTS = ',endpoint!~"/health.*|/monitoring.*|/metrics"';
const quantile = (share: number) =>
  `histogram_quantile(${share}, sum by (le) (${rate('http_request_duration_seconds_bucket', CLIENTS)}))`;

export const service: Dashboard = {
  uid: 'eyrie-service',
  title: 'Eyrie: service',
  description: 'What clients see of the api, and how much room it has left.',
  byInstance: true,
  panels: [
    stat({
      title: 'Requests',
      description: 'Answered a second, without probes and scrapes.',
      unit: 'reqps',
      queries: [[`sum(${rate('http_requests_total', CLIENTS)})`, 'requests']],
    }),
    stat({
      title: 'Errors',
      description: 'Share of requests that were answered with 5xx.',
      unit: 'percentunit',
      thresholds: [0.001, 0.01],
      queries: [
        [
          `(sum(${rate('http_requests_total', `${CLIENTS},status_code=~"5.."`)}) or vector(0)) / sum(${rate('http_requests_total', CLIENTS)})`,
          '5xx',
        ],
      ],
    }),
    stat({
      title: 'p95',
      description: '95 of 100 requests are answered within this time.',
      unit: 's',
      thresholds: [0.5, 2],
      queries: [[quantile(0.95), 'p95']],
    }),
    stat({
      title: 'WebSockets',
      description: 'Clients that watch live events.',
      unit: 'short',
      queries: [[`sum(websocket_connections_active{${INSTANCES}})`, 'connections']],
    }),
    stat({
      title: 'Processes',
      description: 'Of api and worker, that Prometheus reaches.',
      unit: 'short',
      queries: [[`sum(up{${INSTANCES}})`, 'up']],
    }),
    stat({
      title: 'Health',
      description: 'The worst check of all: 1 healthy, 0.5 degraded, 0 unhealthy.',
      unit: 'short',
      queries: [[`min(health_status{${INSTANCES}})`, 'health']],
    }),
    row('Requests'),
    plot({
      title: 'Requests by method and endpoint',
      description: 'The ten busiest routes. Unknown paths count as one.',
      unit: 'reqps',
      queries: [[`topk(10, sum by (method, endpoint) (${rate('http_requests_total')}))`, '{{method}} {{endpoint}}']],
    }),
    plot({
      title: 'Latency',
      description: 'Of all routes together; the dots are single requests, which lead to their traces.',
      unit: 's',
      exemplars: true,
      queries: [
        [quantile(0.5), 'p50'],
        [quantile(0.95), 'p95'],
        [quantile(0.99), 'p99'],
      ],
    }),
    plot({
      title: 'Answers by status',
      description: '4xx is what clients do wrong or too often, 5xx what we do.',
      unit: 'reqps',
      stacked: true,
      queries: [[`sum by (status_code) (${rate('http_requests_total', CLIENTS)})`, '{{status_code}}']],
    }),
    plot({
      title: 'p95 by endpoint',
      description: 'The ten slowest routes.',
      unit: 's',
      queries: [
        [
          `topk(10, histogram_quantile(0.95, sum by (le, endpoint) (${rate('http_request_duration_seconds_bucket')})))`,
          '{{endpoint}}',
        ],
      ],
    }),
    row('Saturation'),
    plot({
      title: 'Requests in hand',
      description: 'Being answered, and waiting for the event loop. What waits too long is shed with 503.',
      unit: 'short',
      queries: [
        [`sum by (job) (http_requests_active{${INSTANCES}})`, '{{job}} active'],
        [`sum by (job) (server_requests_waiting{${INSTANCES}})`, '{{job}} waiting'],
        [`sum by (job) (${rate('server_requests_shed_total')})`, '{{job}} shed a second'],
      ],
    }),
    plot({
      title: 'Event loop delay',
      description: 'How late each process comes to its work. From OVERLOAD_DELAY on requests are shed.',
      unit: 's',
      queries: [[`max by (job, instance) (server_event_loop_delay_seconds{${INSTANCES}})`, '{{job}} {{instance}}']],
    }),
    plot({
      title: 'Database connections',
      description: 'Of the pools. Where callers wait, DATABASE_POOL_MAX or the database is too small.',
      unit: 'short',
      queries: [
        [`sum by (job) (database_connections_active{${INSTANCES}})`, '{{job}} active'],
        [`sum by (job) (database_connections_waiting{${INSTANCES}})`, '{{job}} waiting'],
        [`sum by (job) (database_connections_max{${INSTANCES}})`, '{{job}} most'],
      ],
    }),
    plot({
      title: 'Cache hit rate',
      description: 'Share of lookups that the cache answered, by type.',
      unit: 'percentunit',
      max: 1,
      queries: [
        [
          `sum by (cache_type) (${rate('cache_hits_total')}) / (sum by (cache_type) (${rate('cache_hits_total')}) + sum by (cache_type) (${rate('cache_misses_total')})) or sum by (cache_type) (0 * ${rate('cache_misses_total')})`,
          '{{cache_type}}',
        ],
      ],
    }),
  ],
};
