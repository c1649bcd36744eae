import cluster from 'node:cluster';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import * as z from 'zod';
import { LoggerLevels } from './logger-levels.js';
import { logLevels } from './logging.config.js';

const channel = 'logger-levels';

const change = z.object({
  level: z.enum(logLevels).nullable(),
  changedAt: z.number(),
  expiresAt: z.number().optional(),
  revertsTo: z.enum(logLevels).optional(),
});
const broadcast = z.object({
  kind: z.literal('eyrie:broadcast'),
  channel: z.literal(channel),
  data: z.record(z.string(), change),
});

/** The other processes of a cluster, as this one reaches them: what is sent comes to all others, and the last to later ones. */
export interface Siblings {
  send(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): void;
  off(event: 'message', listener: (message: unknown) => void): void;
}

/** The processes of this container, under `node:cluster`; undefined where there is only this one. */
export function clusterSiblings(): Siblings | undefined {
  if (!cluster.isWorker) return undefined;
  return {
    // A primary that is gone is no fault of the log's.
    send: (message) => void (process.connected && process.send?.(message, undefined, undefined, () => undefined)),
    on: (event, listener) => void process.on(event, listener),
    off: (event, listener) => void process.off(event, listener),
  };
}

/** Token of the {@link Siblings} that {@link LevelSharing} tells. */
export const SIBLINGS = 'eyrie:logging:siblings';

/**
 * Keeps the levels of all processes of a cluster the same. A message holds every change in force, so that the last one
 * is all that a process needs that comes later; a process that knows more than the message it gets tells the others.
 */
@Injectable()
export class LevelSharing implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly levels: LoggerLevels,
    @Inject(SIBLINGS) private readonly siblings: Siblings | undefined,
  ) {}

  onModuleInit(): void {
    if (!this.siblings) return;
    this.siblings.on('message', this.receive);
    this.levels.onChange = () => this.tell();
  }

  onApplicationShutdown(): void {
    this.siblings?.off('message', this.receive);
    this.levels.onChange = undefined;
  }

  private readonly receive = (message: unknown): void => {
    const { success, data: given } = broadcast.safeParse(message);
    if (success && this.levels.merge(given.data)) this.tell();
  };

  private tell(): void {
    this.siblings?.send({ kind: 'eyrie:broadcast', channel, data: this.levels.state(), sticky: true });
  }
}
