import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { Lifecycle } from 'eyrie/lifecycle';
import { runInContext } from 'eyrie/logging';
import { continueTrace } from 'eyrie/tracing';
import {
  type CronItem,
  type Job,
  parseCronItems,
  type ParsedCronItem,
  type Task as QueueTask,
  type TaskList,
} from 'graphile-worker';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { JobFailures } from './job-failures.js';
import { jobDuration } from './jobs.metrics.js';
import { type StoredPayload } from './job-queue.js';
import { JOBS_WORKER_OPTIONS, type JobsWorkerOptions } from './jobs.options.js';
import { QueueRunner } from './queue-runner.js';
import { type Task } from './task.js';
import { TASK_METADATA, type TaskHandler } from './task-handler.js';

const RESTART_DELAY_MS = 500;
/** What a job has, once its signal has aborted, to end in an orderly way. */
const ABORT_GRACE_MS = 2_000;
const PRUNE_FAILURES = 'prune-job-failures';
/** What the clock has called for meanwhile is caught up by the next worker, or after the loss of PostgreSQL. */
const CATCH_UP_MS = 600_000;

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
  private runner?: QueueRunner;
  private readonly closing = new Set<Promise<void>>();
  private loop?: Promise<void>;

  constructor(
    @Inject(JOBS_WORKER_OPTIONS) private readonly options: JobsWorkerOptions,
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    private readonly lifecycle: Lifecycle,
  ) {
    this.pool = new Pool({ connectionString: options.url, max: 1, application_name: 'eyrie-job-failures' });
    const onLost = (error: Error) => this.logger.warn(`queue connection lost: ${error.message}`);
    this.pool.on('error', onLost).on('connect', (client) => client.on('error', onLost));
    this.failures = new JobFailures(this.pool, () => this.runner?.id ?? 'none');
  }

  onApplicationBootstrap(): void {
    this.loop = this.runUntilStopped(this.taskList(), parseCronItems(this.cronItems()));
    this.lifecycle.onStop('jobs', () => this.stop(), { timeoutMs: this.options.stopTimeoutMs + ABORT_GRACE_MS });
  }

  private async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await Promise.all(this.closing);
    await this.pool.end();
  }

  private async runUntilStopped(taskList: TaskList, cronItems: ParsedCronItem[]): Promise<void> {
    const { signal } = this.stopping;
    const stopped = once(signal, 'abort');
    const abandoned: string[] = [];
    while (!signal.aborted) {
      this.runner = new QueueRunner({
        ...this.options,
        taskList,
        cronItems,
        abandoned: [...abandoned],
        debug: (message) => this.logger.debug(message),
        warn: (message) => this.logger.warn(message),
      });
      const reason = await Promise.race([this.runner.ended, stopped]);
      if (signal.aborted) return this.stopRunner(this.runner);
      this.logger.warn(`the queue's runner ${this.runner.id} is given up, another follows: ${String(reason)}`);
      if (this.runner.id !== 'none') abandoned.push(this.runner.id);
      this.abandon(this.runner);
      await Promise.race([delay(RESTART_DELAY_MS), stopped]);
    }
  }

  /** A runner that has lost its database could stop for ever. */
  private async stopRunner(runner: QueueRunner): Promise<void> {
    const stopping = runner.stop().then(() => 'stopped');
    stopping.catch(() => undefined);
    const outcome = await Promise.race([stopping, runner.lost]).catch((error: unknown) => String(error));
    if (outcome === 'stopped') return;
    this.logger.warn(`the queue's runner stopped badly, its jobs are left to others: ${outcome}`);
    this.abandon(runner);
  }

  private abandon(runner: QueueRunner): void {
    const closing = runner
      .abandon()
      .catch((error: unknown) => this.logger.warn(`an abandoned runner could not be closed: ${String(error)}`))
      .finally(() => this.closing.delete(closing));
    this.closing.add(closing);
  }

  private cronItems(): CronItem[] {
    const options = { backfillPeriod: CATCH_UP_MS };
    const own = { task: PRUNE_FAILURES, match: '17 * * * *', identifier: PRUNE_FAILURES, options };
    const given = (this.options.cron ?? []).map(({ task, match, payload }) => ({
      task: task.name,
      match,
      identifier: task.name,
      options,
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
      const { data, origin } = payload as StoredPayload;
      const name = `${task.name}:${job.id}`;
      const context = { job: name, ...(origin?.requestId && { requestId: origin.requestId }) };
      const signal = abortSignal ?? this.stopping.signal;
      const attributes = { 'job.task': task.name, 'job.id': job.id, 'job.attempt': job.attempts };
      const started = performance.now();
      const ended = (outcome: 'done' | 'failed') =>
        jobDuration.observe({ task: task.name, outcome }, (performance.now() - started) / 1000);
      await runInContext(context, () =>
        continueTrace(origin?.traceparent, `job ${task.name}`, attributes, async () => {
          try {
            await handler.handle(task.schema.parse(data), { id: job.id, attempt: job.attempts, signal });
            ended('done');
          } catch (error) {
            ended('failed');
            await this.remember(job, error);
            throw error;
          }
        }),
      );
    };
  }

  private async remember(job: Job, error: unknown): Promise<void> {
    this.logger.warn({ err: error }, `attempt ${job.attempts} of job ${job.id} failed`);
    await this.failures.record(job, error).catch((fault: unknown) => {
      this.logger.error(`failure of job ${job.id} could not be recorded: ${String(fault)}`);
    });
  }
}
