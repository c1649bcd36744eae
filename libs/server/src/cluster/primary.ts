import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import { withTimeLimit } from 'eyrie/lifecycle';
import { flushLogs } from 'eyrie/logging';
import type { FromPrimary } from './messages.js';
import type { PrimaryEnd, ProcessesSpec } from './processes-spec.js';
import type { ForkedProcess, ForkedProcessEvents } from './supervised-process.js';
import { Supervisor } from './supervisor.js';

const endLimitMs = 2_000;

/** Runs this process as the primary of `count` others, and ends it with the status of the container. */
export async function runPrimary(spec: ProcessesSpec, count: number): Promise<never> {
  const { name, settings, lifecycle, onPrimary } = spec;
  const logger = new Logger('Processes');
  // The primary takes each connection and offers it to one process after the other; one that closes or is full hands it
  // back, so that none is lost. With SCHED_NONE a few processes get nearly all of them.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const supervisor = new Supervisor({
    ...settings,
    ...lifecycle,
    count,
    fork: () => new ClusterProcess(cluster.fork()),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void supervisor.stop(signal));
  process.on('SIGHUP', () => supervisor.recycle('received SIGHUP'));
  const onFatal = (error: unknown) => {
    logger.fatal('The primary failed', error);
    void supervisor.fail(1);
  };
  process.on('uncaughtException', onFatal).on('unhandledRejection', onFatal);

  let status = 1;
  let end: PrimaryEnd | void = undefined;
  try {
    end = await onPrimary?.();
    logger.log(`${name} runs in ${count} ${count === 1 ? 'process' : 'processes'}`);
    status = await supervisor.run();
    await withTimeLimit(async () => end?.(), endLimitMs);
  } catch (error) {
    logger.fatal(`${name} failed`, error);
    status ||= 1;
  }
  logger.log(`${name} ended with exit status ${status}`);
  flushLogs();
  process.exit(status);
}

/** A worker of node:cluster, with what may fail once it is gone kept from being a fault. */
class ClusterProcess extends EventEmitter<ForkedProcessEvents> implements ForkedProcess {
  constructor(private readonly worker: Worker) {
    super();
    worker.on('message', (message: unknown) => this.emit('message', message));
    worker.on('exit', (status: number | null, signal: NodeJS.Signals | null) => this.emit('exit', status, signal));
    worker.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.worker.process.pid;
  }

  send(message: FromPrimary): void {
    if (this.worker.isConnected()) this.worker.send(message, () => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.worker.process.kill(signal);
  }
}
