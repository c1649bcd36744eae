import { counter } from './counter.js';

/** A fault of a metric is a metric: a scrape goes on without it. */
export const collectionFailures = counter({
  name: 'metrics_collection_failures_total',
  help: 'Values that could not be read for a scrape, by metric.',
  labels: ['metric'],
});
