import { Logger } from '@nestjs/common';
import { retryUntil } from 'eyrie/lifecycle';
import { Client, escapeIdentifier } from 'pg';
import { messageOf } from './database-error.js';

export interface ListenerOptions {
  connectTimeoutMs: number;
  /** How often the connection is asked for a sign of life: a dead peer sends no error. Default 15 s. */
  heartbeatMs?: number;
}

/**
 * LISTEN on a connection of its own, which no pool may take away. It is opened at the first use, and again, with
 * back-off, whenever it breaks; every subscriber is then called with `''`, for it may have missed notices.
 */
export class Listener {
  private readonly logger = new Logger(Listener.name);
  private readonly channels = new Map<string, Set<(payload: string) => void>>();
  private readonly closing = new AbortController();
  private connection: Promise<Client> | undefined;
  private lastQuery: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly options: ListenerOptions,
  ) {}

  /** Resolves when PostgreSQL listens on `channel`, however long that takes; rejects when the listener is closed. */
  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const subscribers = this.channels.get(channel) ?? new Set();
    this.channels.set(channel, subscribers.add(onNotify));
    while (!(await this.command('LISTEN', channel))) this.closing.signal.throwIfAborted();
    return async () => {
      subscribers.delete(onNotify);
      if (subscribers.size > 0 || this.channels.get(channel) !== subscribers) return;
      this.channels.delete(channel);
      if (this.closing.signal.aborted) return;
      // Without a connection nobody listens; the next one leaves this channel out by itself.
      const isConnected = (await Promise.race([this.connection, Promise.resolve()])) !== undefined;
      if (isConnected) await this.command('UNLISTEN', channel);
    };
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('The listener was closed'));
    this.channels.clear();
    const client = await this.connection?.catch(() => undefined);
    this.connection = undefined;
    await client?.end();
  }

  /** False when the connection broke; the next one listens on every channel by itself. */
  private async command(verb: 'LISTEN' | 'UNLISTEN', channel: string): Promise<boolean> {
    const client = await (this.connection ??= this.connect());
    return this.query(client, `${verb} ${escapeIdentifier(channel)}`).then(
      () => true,
      (error: unknown) => {
        this.lost(client, error);
        return false;
      },
    );
  }

  /** One statement after the other: the client has no queue of its own. */
  private query(client: Client, text: string): Promise<unknown> {
    const result = this.lastQuery.then(() => client.query(text));
    this.lastQuery = result.catch(() => undefined);
    return result;
  }

  private connect(): Promise<Client> {
    const { signal } = this.closing;
    return retryUntil(() => this.open(), {
      limitMs: Infinity,
      signal,
      onRetry: ({ error, pauseMs }) =>
        this.logger.warn(`No connection to listen on, again in ${pauseMs} ms: ${messageOf(error)}`),
    });
  }

  private async open(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      query_timeout: this.options.connectTimeoutMs,
      keepAlive: true,
      application_name: 'eyrie listener',
    });
    client.on('notification', ({ channel, payload }) => this.dispatch(channel, payload ?? ''));
    client.on('error', (error) => this.lost(client, error));
    try {
      await client.connect();
      for (const channel of this.channels.keys()) await client.query(`LISTEN ${escapeIdentifier(channel)}`);
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    this.watch(client);
    return client;
  }

  private watch(client: Client): void {
    const beat = setInterval(() => {
      this.query(client, 'SELECT 1').catch((error: unknown) => this.lost(client, error));
    }, this.options.heartbeatMs ?? 15_000);
    beat.unref();
    client.once('end', () => {
      clearInterval(beat);
      this.lost(client, new Error('Connection ended'));
    });
  }

  private lost(client: Client, error: unknown): void {
    const connection = this.connection;
    const replace = (current: Client) => {
      // A break is told twice, as an error and as an end: the second finds a new connection under way already.
      if (current !== client || this.connection !== connection || this.closing.signal.aborted) return;
      this.logger.warn(`The connection to listen on was lost: ${messageOf(error)}`);
      this.connection = this.connect();
      this.connection.then(
        () => this.channels.forEach((_, channel) => this.dispatch(channel, '')),
        () => undefined, // closed meanwhile
      );
      client.end().catch(() => undefined);
    };
    connection?.then(replace, () => undefined); // closed meanwhile
  }

  private dispatch(channel: string, payload: string): void {
    for (const onNotify of this.channels.get(channel) ?? []) {
      try {
        onNotify(payload);
      } catch (error) {
        this.logger.error(`A listener on ${channel} failed`, error);
      }
    }
  }
}
