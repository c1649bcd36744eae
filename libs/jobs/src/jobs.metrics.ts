import { counter, gauge, histogram } from 'eyrie/metrics';

export const jobDuration = histogram({
  name: 'job_duration_seconds',
  help: 'How long attempts at jobs took, by task and by how they ended: done or failed.',
  labels: ['task', 'outcome'],
  buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
});

export const jobsInQueue = gauge({
  name: 'jobs_queue_depth',
  help: 'Jobs in the queue: due (waiting for a worker), scheduled (for later, retries included) or running.',
  labels: ['state'],
  aggregate: 'max',
});

export const oldestDueJob = gauge({
  name: 'jobs_queue_oldest_due_age_seconds',
  help: 'For how long the oldest due job has been waiting; 0 where none waits.',
  aggregate: 'max',
});

export const liveWorkers = gauge({
  name: 'jobs_workers_live',
  help: 'Worker processes whose heartbeat is fresh, in all containers.',
  aggregate: 'max',
});

export const jobsTakenOver = counter({
  name: 'jobs_workers_taken_over_total',
  help: 'Dead worker processes whose jobs this one has freed.',
});
