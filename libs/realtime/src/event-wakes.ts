import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Optional, type OnModuleDestroy } from '@nestjs/common';
import { RedisConnection } from 'eyrie/cache';

const CHANNEL = 'events';
const throttleMs = 20;

/**
 * Spares those who wait for events the time until they would look by themselves. Best effort: a wake-up that is lost costs
 * a moment, never an event.
 */
@Injectable()
export class EventWakes implements OnModuleDestroy {
  private readonly origin = randomUUID();
  private readonly listeners = new Set<() => void>();
  private timer?: NodeJS.Timeout;
  private isDue = false;

  constructor(@Optional() @Inject(RedisConnection) private readonly redis?: RedisConnection) {}

  /** To be called after events were committed: wakes this process at once, others through Redis, at most 50 times a second. */
  announce(): void {
    for (const listener of this.listeners) listener();
    this.isDue = true;
    if (!this.timer) this.publish();
  }

  /** Calls the listener when there may be events, in whichever process they were written; returns how to end that. */
  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    const onMessage = (origin: string) => {
      if (origin !== this.origin) listener();
    };
    const unsubscribe = this.redis?.subscribe(CHANNEL, onMessage, { onListening: listener });
    return () => {
      this.listeners.delete(listener);
      unsubscribe?.();
    };
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private publish(): void {
    this.timer = undefined;
    if (!this.isDue || this.redis?.state !== 'connected') return;
    this.isDue = false;
    this.redis.publish(CHANNEL, this.origin).catch(() => undefined);
    this.timer = setTimeout(() => this.publish(), throttleMs);
    this.timer.unref();
  }
}
