export { enqueueSql, JobQueue, type JobSpec, type Transaction } from './job-queue.js';
export { currentOrigin, type JobOrigin } from './job-origin.js';
export { jobsSettings, type JobsSettings } from './jobs.config.js';
export { JobsModule } from './jobs.module.js';
export { type CronEntry, type JobsOptions, type JobsWorkerOptions } from './jobs.options.js';
export { QueueMonitor, type QueueState } from './queue-monitor.js';
export { migrateJobs } from './schema.js';
export { defineTask, type PayloadOf, type Task, type TaskOptions } from './task.js';
export { HandlesTask, type JobInfo, type TaskHandler } from './task-handler.js';
