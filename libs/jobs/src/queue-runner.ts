import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger as QueueLogger, type ParsedCronItem, run, type Runner, type TaskList } from 'graphile-worker';
import { Pool } from 'pg';
import { Heartbeat } from './heartbeat.js';
import { jobsTakenOver } from './jobs.metrics.js';
import { type JobsWorkerOptions } from './jobs.options.js';

/** Local queue, completions and heartbeat share few connections; handlers bring their own. */
const POOL_SIZE = 4;
/**
 * Who has which job, and what is done, need not wait for the disk: what a PostgreSQL that crashes forgets of it is done once
 * more, and what the clock called for is caught up. And jobs are found by index: the table is full of rows that are gone,
 * which only an index learns to pass over.
 */
const SESSION = '-c synchronous_commit=off -c enable_seqscan=off -c enable_bitmapscan=off';

export interface RunnerOptions extends Pick<
  JobsWorkerOptions,
  'url' | 'concurrency' | 'pollIntervalMs' | 'heartbeatMs' | 'takeOverAfterMs' | 'stopTimeoutMs'
> {
  taskList: TaskList;
  cronItems: ParsedCronItem[];
  /** Ids of runners that were abandoned before: what they had locked is free again. */
  abandoned: readonly string[];
  debug(message: string): void;
  warn(message: string): void;
}

/**
 * One runner of graphile-worker under one name, with connections and a heartbeat of its own. After a lost connection
 * nobody can tell which of its locks, completions and returned jobs have reached the database, and it does not ask again.
 * So it is given up as a whole: abandoned, and followed by another that frees whatever stands under its name.
 */
export class QueueRunner {
  /** Resolves with the reason once it is of no use any more. */
  readonly ended: Promise<string>;
  /** Resolves with the reason once its database is lost to it, even while it stops. */
  readonly lost: Promise<string>;
  id = 'none';
  private readonly pool: Pool;
  private readonly heartbeat: Promise<Heartbeat>;
  private readonly runner: Promise<Runner>;
  private end!: (reason: string) => void;
  private lose!: (reason: string) => void;

  constructor(private readonly options: RunnerOptions) {
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.lost = new Promise((resolve) => (this.lose = resolve));
    void this.lost.then((reason) => this.end(reason));
    this.pool = new Pool({
      connectionString: options.url,
      max: POOL_SIZE,
      application_name: 'eyrie-jobs',
      options: SESSION,
    });
    const onLost = (error: Error) => this.lose(`a connection was lost: ${error.message}`);
    this.pool.on('error', onLost).on('connect', (client) => client.on('error', onLost));
    this.runner = this.start();
    this.heartbeat = this.runner.then(() => this.beat());
    this.heartbeat.catch((error: unknown) => this.lose(`it could not start: ${String(error)}`));
  }

  /** Finishes the jobs in hand, hands the rest back. */
  async stop(): Promise<void> {
    const heartbeat = await this.heartbeat;
    await (await this.runner).stop();
    await heartbeat.stop();
    await this.pool.end();
  }

  /** Takes no more jobs; those in hand end as they can. Resolves, within the patience for a stop, when all is closed. */
  async abandon(): Promise<void> {
    const ending = Promise.allSettled([
      this.heartbeat.then((heartbeat) => heartbeat.stop()),
      this.runner.then((runner) => runner.stop()),
    ]);
    await Promise.race([ending, delay(this.options.stopTimeoutMs, undefined, { ref: false })]);
    await this.pool.end();
  }

  private async start(): Promise<Runner> {
    const { options } = this;
    const runner = await run({
      pgPool: this.pool,
      taskList: options.taskList,
      parsedCronItems: options.cronItems,
      noHandleSignals: true,
      events: this.events(),
      preset: {
        worker: {
          concurrentJobs: options.concurrency,
          pollInterval: options.pollIntervalMs,
          localQueue: { size: options.concurrency },
          // Batched completion is awaited at a stop, so that a finished job does not run again.
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          gracefulShutdownAbortTimeout: options.stopTimeoutMs,
          logger: new QueueLogger(() => (level, message) => this.pass(level, message)),
        },
      },
    });
    runner.promise.then(
      () => this.end('it stopped'),
      (error: unknown) => this.end(String(error)),
    );
    return runner;
  }

  private async beat(): Promise<Heartbeat> {
    const heartbeat = new Heartbeat(this.pool, this.id, {
      ...this.options,
      onTakeOver: (ids) => {
        jobsTakenOver.inc(ids.length);
        this.options.warn(`took over the jobs of ${ids.length} dead worker(s): ${ids.join(', ')}`);
      },
      onError: (error) => this.lose(`its heartbeat failed: ${String(error)}`),
    });
    await heartbeat.bury(this.options.abandoned);
    heartbeat.start();
    return heartbeat;
  }

  private events(): EventEmitter {
    const events = new EventEmitter();
    events.once('pool:create', ({ workerPool }: { workerPool: { id: string } }) => (this.id = workerPool.id));
    events.on('pool:fatalError', ({ error }: { error: unknown }) => this.lose(String(error)));
    events.on('pool:gracefulShutdown', ({ message }: { message: string }) => this.end(message));
    events.once('localQueue:init', ({ localQueue }: { localQueue: LocalQueue }) => this.contain(localQueue));
    return events;
  }

  /** A local queue that cannot hand its jobs back while it stops ends in an unhandled rejection, and so the process. */
  private contain(queue: LocalQueue): void {
    const background = queue.background.bind(queue);
    queue.background = (work) =>
      background(work.catch((error: unknown) => this.lose(`its jobs could not be handed back: ${String(error)}`)));
  }

  /** What the queue says of itself goes to our log, but for what is said there already, and better, or is no fault here. */
  private pass(level: string, message: string): void {
    if (/^(Failed task|WARNING: having maxPoolSize)/.test(message)) return;
    if (level === 'error' || level === 'warning') this.options.warn(message);
    else this.options.debug(message);
  }
}

/** The part of graphile-worker's local queue that is not in its types. */
interface LocalQueue {
  background(work: Promise<unknown>): void;
}
