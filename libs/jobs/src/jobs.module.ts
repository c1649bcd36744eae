import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobQueue } from './job-queue.js';
import { JobsWorker } from './jobs-worker.js';
import { JOBS_WORKER_OPTIONS, type JobsWorkerOptions } from './jobs.options.js';

/** Enqueues everywhere; takes jobs only where `forWorker` is imported. */
@Module({ providers: [JobQueue], exports: [JobQueue] })
export class JobsModule {
  static forWorker(options: JobsWorkerOptions): DynamicModule {
    return {
      module: JobsModule,
      imports: [DiscoveryModule],
      providers: [JobQueue, JobsWorker, { provide: JOBS_WORKER_OPTIONS, useValue: options }],
      exports: [JobQueue],
    };
  }
}
