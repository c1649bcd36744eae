import { defineSettings, duration, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

export const jobsSettings = defineSettings({
  concurrency: setting('JOBS_CONCURRENCY', z.coerce.number().int().min(1).max(1000).default(100), {
    description: 'Jobs that one worker process has in hand at once.',
  }),
  pollIntervalMs: setting('JOBS_POLL_INTERVAL', duration().default(2_000), {
    description: 'How often a worker looks for due jobs when no notice wakes it.',
  }),
  heartbeatMs: setting('JOBS_HEARTBEAT', duration().default(1_000), {
    description: 'How often a worker process says that it is alive.',
  }),
  takeOverAfterMs: setting('JOBS_TAKE_OVER_AFTER', duration().default(5_000), {
    description: 'Silence after which a worker process is taken for dead and the others take its jobs.',
  }),
  queueAgeDegradedMs: setting('JOBS_QUEUE_AGE_DEGRADED', duration().default(60_000), {
    description: 'Health is degraded while the oldest due job has been waiting for longer than this.',
  }),
  failuresKeptMs: setting('JOBS_FAILURES_KEPT', duration().default(30 * 86_400_000), {
    description: 'How long failed attempts stay in the history.',
  }),
});

export type JobsSettings = SettingsOf<typeof jobsSettings>;
