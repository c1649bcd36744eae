import { SetMetadata } from '@nestjs/common';
import { type Task } from './task.js';

export const TASK_METADATA = Symbol('eyrie:task');

/** What a handler is told about the job in hand. */
export interface JobInfo {
  readonly id: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborts when the worker stops and its patience with jobs in hand is over. */
  readonly signal: AbortSignal;
}

/** The one provider that does the work of a task. A throw means: try again later, with a growing wait. */
export interface TaskHandler<Payload> {
  handle(payload: Payload, job: JobInfo): Promise<void>;
}

/** Marks a provider as the handler of `task`; {@link JobsWorker} finds it at start-up. */
export const HandlesTask = (task: Task<never> | Task): ClassDecorator => SetMetadata(TASK_METADATA, task);
