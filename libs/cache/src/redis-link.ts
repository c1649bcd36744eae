import { AsyncLocalStorage } from 'node:async_hooks';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { retryUntil } from 'eyrie/lifecycle';
import type { Redis } from 'ioredis';
import { answerWithin, NoAnswer } from './answer-limit.js';
import { describeRedis, isRefusal, isRefusedHere, messageOf, RedisUnavailable } from './redis-error.js';

export interface RedisLinkOptions {
  url: string;
  /** What the connection is for: in log lines, and Redis' own list of clients. */
  purpose: string;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
  /** How often an idle connection is asked for a sign of life. 5 s unless told. */
  heartbeatMs?: number;
  /** How long it may take to give one. 1 s unless told. */
  heartbeatLimitMs?: number;
  /** Called with each new connection, before anything else is sent on it. */
  onUp?: (client: Redis) => void;
}

export interface RunOptions {
  /** How long to wait for the answer, if not for the command limit. */
  limitMs?: number;
  /** Whether silence is proof enough that the connection is dead. */
  vital?: boolean;
}

const silentCommandsToDrop = 3;
const mostInFlight = 10_000;
const longestPauseMs = 2_000;
const briefMs = 5_000;
const farewellMs = 500;

/**
 * One connection to Redis that is also its circuit breaker. Nothing ever waits for a connection:
 *
 * - **up** (closed): commands are sent, and answered within the limit or given up;
 * - **down** (open): they are refused at once. A broken connection opens the circuit, and so do three commands in a row
 *   without an answer: the connection is then destroyed with all that was queued on it;
 * - **trying** (half-open), in the background, with back-off: a new connection counts once it has logged in and answered
 *   a PING within the command limit. Requests are never the probe.
 *
 * Each attempt is a client of its own, never ioredis' reconnection, which would send again what others gave up long ago.
 */
export class RedisLink {
  private readonly logger: Logger;
  private readonly closing = new AbortController();
  /** A connection outlives the request that found the last one broken: it must not carry that one's trace and log context. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private client?: Redis;
  private up = false;
  private upSince = 0;
  /** Connections in a row that did not last. */
  private brief = 0;
  private silent = 0;
  private inFlight = 0;
  private reason = 'not connected yet';
  private toldDown = false;
  private heartbeat?: NodeJS.Timeout;

  constructor(private readonly options: RedisLinkOptions) {
    this.logger = new Logger(`Redis ${options.purpose}`);
    this.keep();
  }

  get isUp(): boolean {
    return this.up;
  }

  /**
   * Sends what `work` sends and returns its answer.
   * @throws RedisUnavailable at once while the link is down, else within the limit; or the refusal of Redis
   */
  async run<T>(work: (client: Redis) => Promise<T>, options: RunOptions = {}): Promise<T> {
    const { limitMs = this.options.commandTimeoutMs, vital = false } = options;
    const { client } = this;
    if (!this.up || !client) throw new RedisUnavailable(`Redis is down: ${this.reason}`);
    if (this.inFlight >= mostInFlight) throw new RedisUnavailable(`${mostInFlight} commands wait for Redis already`);
    this.inFlight += 1;
    try {
      const answer = await answerWithin(limitMs, Promise.try(work, client));
      this.silent = 0;
      return answer;
    } catch (error) {
      if (isRefusal(error)) {
        this.silent = 0;
        if (isRefusedHere(error)) this.lost(client, error);
        delete (error as { command?: unknown }).command; // its arguments are nobody's business
        throw error;
      }
      if (error instanceof NoAnswer && (++this.silent >= silentCommandsToDrop || vital)) this.lost(client, error);
      throw new RedisUnavailable(this.explain(error));
    } finally {
      this.inFlight -= 1;
    }
  }

  /** What was sent is still answered, within half a second; then the connection is closed for good. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort(new Error('the connection was closed'));
    clearInterval(this.heartbeat);
    this.reason = 'the connection was closed';
    const { client, up } = this;
    this.up = false;
    if (client && up) await answerWithin(farewellMs, client.quit()).catch(() => undefined);
    if (client) destroy(client);
  }

  private keep(): void {
    const { signal } = this.closing;
    const onRetry = ({ error }: { error: unknown }) => this.down(error);
    this.pause(signal)
      .then(() => retryUntil(() => this.open(), { limitMs: Infinity, longestPauseMs, onRetry, signal }))
      .catch(() => undefined); // closed meanwhile
  }

  /** A connection that lasted is replaced at once; one that did not, later and later. */
  private async pause(signal: AbortSignal): Promise<void> {
    if (this.brief === 0) return;
    const longest = Math.min(longestPauseMs, 50 * 2 ** this.brief);
    await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal });
  }

  private async open(): Promise<void> {
    const { url, connectTimeoutMs, commandTimeoutMs } = this.options;
    const { Redis } = await import('ioredis'); // by those who have one
    const client = new Redis(url, clientOptions(this.options));
    this.client = client;
    let fault: unknown;
    client.on('error', (error: unknown) => {
      fault = error;
    });
    client.once('close', () => this.lost(client, fault ?? new Error('the connection was closed')));
    try {
      await answerWithin(connectTimeoutMs, client.connect());
      await answerWithin(commandTimeoutMs, client.ping());
      this.closing.signal.throwIfAborted();
      if (client.status !== 'ready') throw new Error('the connection was closed');
    } catch (error) {
      destroy(client);
      throw fault ?? error;
    }
    this.opened(client);
  }

  private opened(client: Redis): void {
    this.up = true;
    this.upSince = performance.now();
    this.silent = 0;
    this.toldDown = false;
    this.logger.log(`Connected to ${describeRedis(this.options.url)}`);
    const { heartbeatMs = 5_000, heartbeatLimitMs: limitMs = 1_000 } = this.options;
    const beat = () => void this.run((each) => each.ping(), { limitMs, vital: true }).catch(() => undefined);
    this.heartbeat = setInterval(beat, heartbeatMs).unref();
    this.options.onUp?.(client);
  }

  private lost(client: Redis, error: unknown): void {
    if (client !== this.client || !this.up) return;
    this.up = false;
    this.brief = performance.now() - this.upSince < briefMs ? this.brief + 1 : 0;
    clearInterval(this.heartbeat);
    destroy(client);
    this.outside(() => {
      this.down(error);
      this.keep();
    });
  }

  /** Logged once, however many attempts fail after it. */
  private down(error: unknown): void {
    this.reason = this.explain(error);
    if (this.toldDown || this.closing.signal.aborted) return;
    this.toldDown = true;
    this.logger.warn(`${describeRedis(this.options.url)} is down, going on without it: ${this.reason}`);
  }

  private explain(error: unknown): string {
    const { password } = new URL(this.options.url);
    const message = messageOf(error);
    return password ? message.replaceAll(decodeURIComponent(password), '[redacted]') : message;
  }
}

function clientOptions({ url, purpose, connectTimeoutMs }: RedisLinkOptions) {
  const { protocol, hostname } = new URL(url);
  return {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    connectionName: `eyrie-${purpose}`,
    disableClientInfo: true,
    keepAlive: 10_000,
    // Nothing waits for a connection and nothing is sent twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // Node sends no server name of its own, and some services route by it.
    ...(protocol === 'rediss:' && isIP(hostname) === 0 && { tls: { servername: hostname } }),
  };
}

/** `disconnect()` alone waits two seconds for a peer that may be hung. */
function destroy(client: Redis): void {
  client.disconnect();
  (client.stream as typeof client.stream | undefined)?.destroy();
}
