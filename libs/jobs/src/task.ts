import type * as z from 'zod';

/** A kind of job: its name in the queue and the schema that every payload satisfies, when enqueued and when taken. */
export interface Task<Payload = unknown> {
  readonly name: string;
  readonly schema: z.ZodType<Payload>;
  readonly options: TaskOptions;
}

export interface TaskOptions {
  /** Attempts before the job is given up, counting the first; the waits between grow exponentially. Default 25 (about three days). */
  maxAttempts?: number;
}

export type PayloadOf<T extends Task> = T extends Task<infer Payload> ? Payload : never;

/**
 * Declares a task.
 * @example const deliver = defineTask('deliver-notification', z.object({ id: z.uuid() }));
 */
export function defineTask<Payload>(
  name: string,
  schema: z.ZodType<Payload>,
  options: TaskOptions = {},
): Task<Payload> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new Error(`task name "${name}" must be kebab-case`);
  return Object.freeze({ name, schema, options });
}
