import type { Dashboard } from './dashboard.ts';
import { plot, row, stat } from './panel.ts';

/** Every process tells what it read of the same tables, so the latest counts, not the sum. */
const active = 'max by (state, severity) (alerts_active{job=~"api|worker"})';
const delivery = (share: number) =>
  `histogram_quantile(${share}, sum by (le) (rate(alert_delivery_latency_seconds_bucket{job="worker"}[$__rate_interval])))`;

export const hub: Dashboard = {
  uid: 'eyrie-hub',
  title: 'Eyrie: hub',
  description: 'Alerts from their arrival to their delivery.',
  panels: [
    stat({
      title: 'Active alerts',
      description: 'Firing now, whether told or not.',
      unit: 'short',
      queries: [[`sum(${active})`, 'alerts']],
    }),
    stat({
      title: 'Dead letters',
      description:
        'Notifications that were given up. GET /api/v1/notifications?state=dead lists them; they can be replayed.',
      unit: 'short',
      thresholds: [1, 10],
      queries: [[`max(alert_notifications_held{state="dead"})`, 'dead']],
    }),
    stat({
      title: 'Oldest due job',
      description: 'For how long the oldest job has been waiting for a worker.',
      unit: 's',
      thresholds: [10, 60],
      queries: [[`max(jobs_queue_oldest_due_age_seconds)`, 'age']],
    }),
    stat({
      title: 'Live workers',
      description: 'Worker processes whose heartbeat is fresh.',
      unit: 'short',
      queries: [[`max(jobs_workers_live)`, 'workers']],
    }),
    stat({
      title: 'Missed heartbeats',
      description: "Dead man's switches that nobody pressed in time, in the last day.",
      unit: 'short',
      thresholds: [1, 5],
      queries: [[`sum(increase(heartbeats_missed_total[1d])) or vector(0)`, 'missed']],
    }),
    stat({
      title: 'Circuits open',
      description: 'Integrations of receivers that are left alone because they failed again and again.',
      unit: 'short',
      thresholds: [1, 3],
      queries: [[`count(max by (receiver, integration) (receiver_circuit_state) == 2) or vector(0)`, 'open']],
    }),
    row('In'),
    plot({
      title: 'Alerts received',
      description: 'Committed, by what they said; a re-sent alert counts each time.',
      unit: 'cps',
      queries: [[`sum by (status) (rate(alerts_received_total{job="api"}[$__rate_interval]))`, '{{status}}']],
    }),
    plot({
      title: 'Active alerts by state and severity',
      description: 'Suppressed ones are silenced, inhibited or muted.',
      unit: 'short',
      stacked: true,
      queries: [[active, '{{state}} {{severity}}']],
    }),
    row('Out'),
    plot({
      title: 'Attempts by outcome',
      description: 'Retried ones are tried again with growing pauses; dead ones are given up, and kept.',
      unit: 'cps',
      queries: [[`sum by (outcome) (rate(alert_notifications_total[$__rate_interval]))`, '{{outcome}}']],
    }),
    plot({
      title: 'From alert to delivery',
      description:
        'From the request that raised or resolved an alert to the delivery that told of it; group_wait is a part.',
      unit: 's',
      exemplars: true,
      queries: [
        [delivery(0.5), 'p50'],
        [delivery(0.95), 'p95'],
        [delivery(0.99), 'p99'],
      ],
    }),
    plot({
      title: 'Attempts by receiver',
      description: 'By receiver and integration.',
      unit: 'cps',
      queries: [
        [
          `sum by (receiver, integration) (rate(alert_notifications_total[$__rate_interval]))`,
          '{{receiver}} {{integration}}',
        ],
      ],
    }),
    plot({
      title: 'How long receivers take',
      description: 'Of an attempt (p95), by receiver and integration.',
      unit: 's',
      queries: [
        [
          `histogram_quantile(0.95, sum by (le, receiver, integration) (rate(alert_notification_attempt_duration_seconds_bucket[$__rate_interval])))`,
          '{{receiver}} {{integration}}',
        ],
      ],
    }),
    plot({
      title: 'Held and postponed',
      description: 'Notifications under way or given up, and how often one was put back before an attempt, by reason.',
      unit: 'short',
      queries: [
        [`max by (state) (alert_notifications_held)`, '{{state}}'],
        [`sum(rate(alert_notifications_postponed_total[$__rate_interval])) or vector(0)`, 'postponed a second'],
      ],
    }),
    plot({
      title: 'Escalations',
      description: 'Steps taken because nobody had acknowledged.',
      unit: 'short',
      queries: [[`sum(increase(alert_escalation_steps_total[$__rate_interval])) or vector(0)`, 'steps']],
    }),
    row('Queue'),
    plot({
      title: 'Jobs',
      description: 'Due ones wait for a worker, scheduled ones for their time.',
      unit: 'short',
      queries: [[`max by (state) (jobs_queue_depth)`, '{{state}}']],
    }),
    plot({
      title: 'Duration of jobs',
      description: 'By task (p95).',
      unit: 's',
      queries: [
        [
          `histogram_quantile(0.95, sum by (le, task) (rate(job_duration_seconds_bucket{job="worker"}[$__rate_interval])))`,
          '{{task}}',
        ],
      ],
    }),
    plot({
      title: 'Groups decided on',
      description: 'Groups that were due, and how long a decision on them took (p95).',
      unit: 'short',
      queries: [
        [`sum(rate(alert_groups_flushed_total[$__rate_interval]))`, 'groups a second'],
        [
          `histogram_quantile(0.95, sum by (le) (rate(alert_flush_duration_seconds_bucket[$__rate_interval])))`,
          'p95 in seconds',
        ],
      ],
    }),
    plot({
      title: 'Failed jobs, dead workers',
      description: 'Attempts that failed, by task, and worker processes whose jobs others took over.',
      unit: 'cps',
      queries: [
        [
          `sum(rate(job_duration_seconds_count{job="worker",outcome="failed"}[$__rate_interval])) or vector(0)`,
          'failed jobs',
        ],
        [`sum(rate(jobs_workers_taken_over_total[$__rate_interval])) or vector(0)`, 'workers taken over'],
      ],
    }),
  ],
};
