import type { Dashboard } from './dashboard.ts';
import { plot, row, stat, type Query } from './panel.ts';

const WINDOWS = ['5m', '1h', '6h', '3d'];
/** 999 of 1000 requests are answered without a 5xx; 99 of 100 within half a second. */
const BUDGETS = { availability: 0.001, latency: 0.01 };

const burn = (kind: keyof typeof BUDGETS): Query[] =>
  WINDOWS.map((window) => [`slo:${kind}_errors:ratio_rate${window} / ${BUDGETS[kind]}`, window]);

const left = (kind: keyof typeof BUDGETS): Query[] => [
  [`1 - slo:${kind}_errors:ratio_rate3d / ${BUDGETS[kind]}`, 'budget left'],
];

export const slo: Dashboard = {
  uid: 'eyrie-slo',
  title: 'Eyrie: objectives',
  description: 'How fast the error budgets of availability (99.9 %) and latency (99 % within 0.5 s) are used up.',
  panels: [
    stat(
      {
        title: 'Availability budget left',
        description: 'If the last three days were to go on. Below 0 the objective is missed.',
        unit: 'percentunit',
        queries: left('availability'),
      },
      12,
    ),
    stat(
      {
        title: 'Latency budget left',
        description: 'If the last three days were to go on. Below 0 the objective is missed.',
        unit: 'percentunit',
        queries: left('latency'),
      },
      12,
    ),
    row('Burn rates: 1 uses the budget up exactly in time; alerts come at 14.4, 6, 3 and 1'),
    plot({
      title: 'Availability',
      description: 'Burn rate over several windows.',
      unit: 'short',
      thresholds: [1, 14.4],
      queries: burn('availability'),
    }),
    plot({
      title: 'Latency',
      description: 'Burn rate over several windows.',
      unit: 'short',
      thresholds: [1, 14.4],
      queries: burn('latency'),
    }),
    plot(
      {
        title: 'Requests that count',
        description: 'Of clients, without probes and scrapes.',
        unit: 'reqps',
        queries: [
          ['slo:requests:rate5m', 'all'],
          ['slo:requests_failed:rate5m', 'failed'],
          ['slo:requests_slow:rate5m', 'slow'],
        ],
      },
      24,
    ),
  ],
};
