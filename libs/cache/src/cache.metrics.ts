import { counter, gauge } from 'eyrie/metrics';

const labels = ['cache_type'] as const;

export const cacheHits = counter({
  name: 'cache_hits_total',
  help: 'Lookups that the cache answered. Callers that ask for the same value at the same time make one lookup.',
  labels,
});

export const cacheMisses = counter({
  name: 'cache_misses_total',
  help: 'Lookups that the cache did not answer, those that failed included.',
  labels,
});

export const cacheErrors = counter({
  name: 'cache_errors_total',
  help: 'Reads, writes and deletions that failed: the cache was not there, too slow, or could not take the value.',
  labels,
});

export const redisUp = gauge({
  name: 'redis_up',
  help: 'Whether Redis is connected and answers in time (1) or not (0); without REDIS_URL there is none.',
  aggregate: 'min',
});
