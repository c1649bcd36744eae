import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisUnavailable } from './redis-error.js';
import { RedisLink, type RedisLinkOptions } from './redis-link.js';

export interface SubscribeOptions {
  /** Messages arrive from now on; whatever was published before may have been missed. */
  onListening?: () => void;
}

interface Subscriber extends SubscribeOptions {
  onMessage: (message: string) => void;
}

/** Subscriptions on a connection of their own, opened at the first one and renewed whenever it breaks. */
export class RedisSubscriptions {
  private readonly logger = new Logger(RedisSubscriptions.name);
  private readonly channels = new Map<string, Set<Subscriber>>();
  private link?: RedisLink;
  private closed = false;

  constructor(private readonly options: Omit<RedisLinkOptions, 'purpose' | 'onUp'>) {}

  /** Returns how to end the subscription. */
  add(channel: string, subscriber: Subscriber): () => void {
    if (this.closed) return () => undefined;
    const subscribers = this.channels.get(channel) ?? new Set();
    this.channels.set(channel, subscribers.add(subscriber));
    if (this.link?.isUp) void this.listen(channel, [subscriber]);
    this.link ??= new RedisLink({ ...this.options, purpose: 'subscriptions', onUp: (client) => this.resume(client) });
    return () => this.remove(channel, subscriber);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.channels.clear();
    await this.link?.close();
  }

  private remove(channel: string, subscriber: Subscriber): void {
    const subscribers = this.channels.get(channel);
    if (!subscribers?.delete(subscriber) || subscribers.size > 0) return;
    this.channels.delete(channel);
    if (this.link?.isUp) void this.send((client) => client.unsubscribe(channel));
  }

  private resume(client: Redis): void {
    client.on('message', (channel: string, message: string) => {
      for (const { onMessage } of this.channels.get(channel) ?? []) this.call(channel, () => onMessage(message));
    });
    for (const channel of this.channels.keys()) void this.listen(channel);
  }

  private async listen(channel: string, only?: readonly Subscriber[]): Promise<void> {
    if (!(await this.send((client) => client.subscribe(channel)))) return;
    const subscribers = this.channels.get(channel) ?? new Set();
    for (const subscriber of only ?? subscribers) {
      if (subscribers.has(subscriber)) this.call(channel, () => subscriber.onListening?.());
    }
  }

  /** False when the connection is gone; the next one subscribes to every channel by itself. */
  private async send(work: (client: Redis) => Promise<unknown>): Promise<boolean> {
    try {
      await this.link?.run(work, { limitMs: this.options.connectTimeoutMs, vital: true });
      return true;
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) this.logger.error('Redis refused a subscription', error);
      return false;
    }
  }

  private call(channel: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.logger.error(`A subscriber of ${channel} failed`, error);
    }
  }
}
