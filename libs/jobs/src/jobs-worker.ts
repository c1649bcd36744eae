import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { Lifecycle } from 'eyrie/lifecycle';
import { runInContext } from 'eyrie/logging';
import {
  Logger as QueueLogger,
  parseCronItems,
  run,
  type CronItem,
  type Job,
  type ParsedCronItem,
  type Runner,
  type Task as QueueTask,
  type TaskList,
} from 'graphile-worker';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { Heartbeat } from './heartbeat.js';
import { JobFailures } from './job-failures.js';
import { type StoredPayload } from './job-queue.js';
import { JOBS_WORKER_OPTIONS, type JobsWorkerOptions } from './jobs.options.js';
import { type Task } from './task.js';
import { TASK_METADATA, type TaskHandler } from './task-handler.js';

/** Local queue, completions and heartbeat share few connections; handlers bring their own. */
const POOL_SIZE = 4;
const RESTART_DELAY_MS = 500;
/** What a job has, once its signal has aborted, to end in an orderly way. */
const ABORT_GRACE_MS = 2_000;
const PRUNE_FAILURES = 'prune-job-failures';

/**
 * Takes jobs and hands each to its handler. Start-up fails when a task has no handler, or a handler no task. Survives
 * the loss of PostgreSQL: the runner is started anew, under a new name, until the application stops.
 */
@Injectable()
export class JobsWorker implements OnApplicationBootstrap {
  private readonly logger = new Logger('JobsWorker');
  private readonly pool: Pool;
  private readonly failures: JobFailures;
  private readonly stopping = new AbortController();
  private workerId = 'none';
  private runner?: Runner;
  private loop?: Promise<void>;

  constructor(
    @Inject(JOBS_WORKER_OPTIONS) private readonly options: JobsWorkerOptions,
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    private readonly lifecycle: Lifecycle,
  ) {
    this.pool = new Pool({ connectionString: options.url, max: POOL_SIZE, application_name: 'eyrie-jobs' });
    const onLost = (error: Error) => this.logger.warn(`queue connection lost: ${error.message}`);
    this.pool.on('error', onLost).on('connect', (client) => client.on('error', onLost));
    this.failures = new JobFailures(this.pool, () => this.workerId);
  }

  onApplicationBootstrap(): void {
    this.loop = this.runUntilStopped(this.taskList(), parseCronItems(this.cronItems()));
    this.lifecycle.onStop('jobs', () => this.stop(), { timeoutMs: this.options.stopTimeoutMs + ABORT_GRACE_MS });
  }

  private async stop(): Promise<void> {
    this.stopping.abort();
    await this.runner?.stop().catch((error: unknown) => this.logger.warn(`runner stopped badly: ${String(error)}`));
    await this.loop;
    await this.pool.end();
  }

  private async runUntilStopped(taskList: TaskList, cronItems: ParsedCronItem[]): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.runOnce(taskList, cronItems);
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.logger.warn({ err: error }, 'job runner lost, starting it anew');
        await delay(RESTART_DELAY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  private async runOnce(taskList: TaskList, parsedCronItems: ParsedCronItem[]): Promise<void> {
    const events = new EventEmitter();
    events.once('pool:create', ({ workerPool }: { workerPool: { id: string } }) => (this.workerId = workerPool.id));
    const runner = await run({
      pgPool: this.pool,
      taskList,
      parsedCronItems,
      noHandleSignals: true,
      events,
      preset: {
        worker: {
          concurrentJobs: this.options.concurrency,
          pollInterval: this.options.pollIntervalMs,
          localQueue: { size: this.options.concurrency },
          // Batched completion is awaited at a stop, so that a finished job does not run again.
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          gracefulShutdownAbortTimeout: this.options.stopTimeoutMs,
          logger: new QueueLogger(() => (level, message) => this.pass(level, message)),
        },
      },
    });
    this.runner = runner;
    const heartbeat = new Heartbeat(this.pool, this.workerId, {
      ...this.options,
      onTakeOver: (ids) => this.logger.warn(`took over the jobs of ${ids.length} dead worker(s): ${ids.join(', ')}`),
      onError: (error) => this.logger.warn(`heartbeat failed: ${String(error)}`),
    });
    heartbeat.start();
    try {
      if (this.stopping.signal.aborted) await runner.stop();
      await runner.promise;
    } finally {
      await heartbeat.stop();
    }
  }

  /** What the queue says of itself goes to our log, but for what is said there already, and better, or is no fault here. */
  private pass(level: string, message: string): void {
    if (/^(Failed task|WARNING: having maxPoolSize)/.test(message)) return;
    if (level === 'error' || level === 'warning') this.logger.warn(message);
    else this.logger.debug(message);
  }

  private cronItems(): CronItem[] {
    const own = { task: PRUNE_FAILURES, match: '17 * * * *', identifier: PRUNE_FAILURES };
    const given = (this.options.cron ?? []).map(({ task, match, payload }) => ({
      task: task.name,
      match,
      identifier: task.name,
      payload: { data: task.schema.parse(payload ?? {}) },
    }));
    return [own, ...given];
  }

  private taskList(): TaskList {
    const handlers = this.discoverHandlers();
    const wanted = new Map(this.options.tasks.map((task) => [task.name, task]));
    const missing = [...wanted.keys()].filter((name) => !handlers.has(name));
    if (missing.length > 0) throw new Error(`no handler for task ${missing.join(', ')}: provide one with @HandlesTask`);
    const uncalled = this.options.cron?.find(({ task }) => !wanted.has(task.name));
    if (uncalled)
      throw new Error(`cron calls for unlisted task ${uncalled.task.name}: add it to the tasks of JobsModule`);
    const unknown = [...handlers.keys()].filter((name) => !wanted.has(name));
    if (unknown.length > 0)
      throw new Error(`handler for unlisted task ${unknown.join(', ')}: add it to the tasks of JobsModule`);
    return {
      [PRUNE_FAILURES]: () => this.failures.prune(this.options.failuresKeptMs),
      ...Object.fromEntries([...wanted].map(([name, task]) => [name, this.queueTask(task, handlers.get(name)!)])),
    };
  }

  private discoverHandlers(): Map<string, TaskHandler<unknown>> {
    const handlers = new Map<string, TaskHandler<unknown>>();
    for (const { instance, metatype } of this.discovery.getProviders()) {
      const task = metatype && this.reflector.get<Task | undefined>(TASK_METADATA, metatype);
      if (!task) continue;
      if (handlers.has(task.name)) throw new Error(`two handlers for task ${task.name}`);
      handlers.set(task.name, instance as TaskHandler<unknown>);
    }
    return handlers;
  }

  private queueTask(task: Task, handler: TaskHandler<unknown>): QueueTask {
    return async (payload, { job, abortSignal }) => {
      const { data, requestId } = payload as StoredPayload;
      await runInContext({ job: `${task.name}:${job.id}`, ...(requestId && { requestId }) }, async () => {
        try {
          const signal = abortSignal ?? this.stopping.signal;
          await handler.handle(task.schema.parse(data), { id: job.id, attempt: job.attempts, signal });
        } catch (error) {
          await this.remember(job, error);
          throw error;
        }
      });
    };
  }

  private async remember(job: Job, error: unknown): Promise<void> {
    this.logger.warn({ err: error }, `attempt ${job.attempts} of job ${job.id} failed`);
    await this.failures.record(job, error).catch((fault: unknown) => {
      this.logger.error(`failure of job ${job.id} could not be recorded: ${String(fault)}`);
    });
  }
}
