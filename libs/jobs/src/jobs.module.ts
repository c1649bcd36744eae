import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobQueue } from './job-queue.js';
import { JobsWorker } from './jobs-worker.js';
import { JOBS_OPTIONS, JOBS_WORKER_OPTIONS, type JobsOptions, type JobsWorkerOptions } from './jobs.options.js';
import { QueueMonitor } from './queue-monitor.js';

/**
 * Imported as it is, it enqueues. `forRoot` also watches the queue, for metrics and health; `forWorker` takes jobs beside
 * that.
 */
@Module({ providers: [JobQueue], exports: [JobQueue] })
export class JobsModule {
  static forRoot(options: JobsOptions): DynamicModule {
    return {
      module: JobsModule,
      providers: [JobQueue, QueueMonitor, { provide: JOBS_OPTIONS, useValue: options }],
      exports: [JobQueue, QueueMonitor],
    };
  }

  static forWorker(options: JobsWorkerOptions): DynamicModule {
    return {
      module: JobsModule,
      imports: [DiscoveryModule],
      providers: [
        JobQueue,
        QueueMonitor,
        JobsWorker,
        { provide: JOBS_OPTIONS, useValue: options },
        { provide: JOBS_WORKER_OPTIONS, useValue: options },
      ],
      exports: [JobQueue, QueueMonitor],
    };
  }
}
