import { createRequire } from 'node:module';
import type Undici from 'undici';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import type { HttpSettings } from '../config/integration.js';
import type { Secret } from '../config/secret.js';
import { AddressGuard } from './address-guard.js';
import { AttemptLimit } from './attempt-limit.js';
import { parseRetryAfter } from './backoff.js';
import { classifyHttp } from './delivery.js';
import { type Excerpt, excerptWithout, secretsOf } from './excerpt.js';
import { describeFault } from './network-fault.js';
import { redirectOf } from './redirect.js';
import { tlsOptions } from './tls.js';
import type { Delivery, NotifyOptions } from './types.js';

/** How much of an answer is read; no receiver can make us hold more. */
const answerLimit = 4096;

/** Where messages are posted to. */
export interface Destination {
  /** A secret: errors name its host only. */
  readonly url: Secret;
  readonly http: HttpSettings;
  /** Of one attempt, instead of the general limit. */
  readonly timeoutMs?: number;
}

/** One message. */
export interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that prove who we are: no other origin gets to see them. */
  readonly proof?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** An answer with a status of 2xx. */
export interface Receipt {
  readonly statusCode: number;
  /** The beginning of the body as it came: see {@link HttpPost.excerpt} before it is shown. */
  readonly text: string;
  readonly retryAfterMs?: number;
}

export interface HttpPostOptions {
  /** Secrets besides URL and credentials that an answer may repeat. */
  readonly secrets?: readonly string[];
  /** The body holds a secret, so that a redirect to another origin is not followed. */
  readonly bodyIsSecret?: boolean;
  /** What an answer of 2xx means, for receivers that say more in its body. Without it: delivered, at once. */
  readonly confirm?: (receipt: Receipt) => Delivery;
}

/** Posts messages to one place over connections of its own, so that a slow receiver holds up no other. */
export class HttpPost {
  /** How errors name the place. */
  readonly target: string;
  readonly excerpt: Excerpt;
  private readonly url: URL;
  private readonly credentials: Readonly<Record<string, string[]>>;
  private readonly timeoutMs: number;
  private opened?: Agent;

  /** @param kind - the first word of {@link target} */
  constructor(
    kind: string,
    private readonly destination: Destination,
    private readonly options: NotifyOptions,
    private readonly own: HttpPostOptions = {},
  ) {
    const { http, url, timeoutMs } = destination;
    this.url = new URL(url.reveal());
    this.target = `${kind} at ${this.url.host}`;
    this.credentials = credentialHeaders(http, this.url);
    const sent = Object.values(this.credentials).flat();
    const words = sent.flatMap((value) => [value, ...value.split(' ')]);
    const secrets = [...secretsOf(this.url), ...words, http.basicAuth?.password.reveal(), ...(own.secrets ?? [])];
    this.excerpt = excerptWithout(secrets);
    this.timeoutMs = timeoutMs || options.timeoutMs;
  }

  /** Never rejects: whatever goes wrong is told by the outcome. */
  async send(message: Message): Promise<Delivery> {
    const limit = new AttemptLimit(message.signal, this.timeoutMs, this.options);
    const discarded: Promise<void>[] = [];
    try {
      return await this.post(message, limit.signal, discarded);
    } catch (error) {
      if (message.signal.aborted)
        return { outcome: 'recoverable', error: `${this.target}: the attempt was interrupted` };
      if (limit.exceeded)
        return { outcome: 'recoverable', error: `${this.target} gave no answer within ${this.timeoutMs} ms` };
      return describeFault(this.target, error);
    } finally {
      void Promise.all(discarded).then(() => limit.end());
    }
  }

  /** Attempts under way end first. */
  async close(): Promise<void> {
    await this.opened?.close();
  }

  /** Opened by the first message: undici takes a tenth of the time in which an app starts. */
  private get agent(): Agent {
    return (this.opened ??= this.open(createRequire(import.meta.url)('undici') as typeof Undici));
  }

  private open({ Agent, buildConnector }: typeof Undici): Agent {
    const { options, timeoutMs } = this;
    const limits = { timeout: Math.min(options.connectTimeoutMs, timeoutMs), ...tlsOptions(this.destination.http.tls) };
    return new Agent({
      connections: options.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: guardedConnector(new AddressGuard(options.allowPrivate), buildConnector, limits),
    });
  }

  /** @param discarded gets what is still read of answers that do not matter, and that the limit has to bound */
  private async post(
    { body, headers: general, proof }: Message,
    signal: AbortSignal,
    discarded: Promise<void>[],
  ): Promise<Delivery> {
    const headers = { 'user-agent': `Eyrie/${this.options.version}`, ...general };
    let url = this.url;
    let trusted = true;
    for (let hops = 0; ; hops++) {
      const answer = await this.agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: trusted ? { ...this.credentials, ...headers, ...proof } : headers,
        body,
        signal,
      });
      const redirect = this.redirect(answer, url, hops);
      if (redirect === undefined) return this.conclude(answer, signal, discarded);
      discarded.push(discard(answer.body, signal));
      if ('refused' in redirect) {
        const error = `${this.target} answered ${answer.statusCode}, a redirect that is not followed: ${redirect.refused}`;
        return { outcome: 'final', error, statusCode: answer.statusCode };
      }
      // What proves who we are goes to the origin of the configuration only, and not again to one that came after another.
      trusted &&= redirect.to.origin === url.origin;
      url = redirect.to;
    }
  }

  private redirect(answer: Dispatcher.ResponseData, from: URL, hops: number): ReturnType<typeof redirectOf> {
    const redirect = redirectOf(answer, from, hops, this.destination.http.followRedirects);
    const away = redirect && 'to' in redirect && redirect.to.origin !== from.origin;
    return away && this.own.bodyIsSecret ? { refused: 'it leads to another host' } : redirect;
  }

  private async conclude(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    signal: AbortSignal,
    discarded: Promise<void>[],
  ): Promise<Delivery> {
    const success = statusCode >= 200 && statusCode < 300;
    const retryAfter = [headers['retry-after']].flat()[0];
    if (success && this.own.confirm) {
      const retryAfterMs = parseRetryAfter(retryAfter, this.now());
      const text = await beginningOf(body);
      return this.own.confirm({ statusCode, text, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    }
    if (success) discarded.push(discard(body, signal));
    // If it breaks off, or the time is up, its status was the answer.
    const excerpt = success ? undefined : this.excerpt(await beginningOf(body, { tolerant: true }));
    return classifyHttp(this.target, { statusCode, retryAfter, excerpt }, this.now());
  }

  private now(): number {
    return this.options.now?.() ?? Date.now();
  }
}

/** Makes connections, those of redirects too, to addresses only that the guard lets pass. */
function guardedConnector(
  guard: AddressGuard,
  build: typeof buildConnector,
  options: buildConnector.BuildOptions,
): buildConnector.connector {
  const connect = build({ ...options, allowH2: false, lookup: guard.lookup });
  return (target, callback) => {
    const refused = guard.refuseLiteral(target.hostname);
    if (refused) callback(refused, null);
    else connect(target, callback);
  };
}

/** What the integration sends to prove who we are; a user in the URL counts where nothing else authorises. */
function credentialHeaders(http: HttpSettings, url: URL): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const { name, value } of http.headers) (headers[name.toLowerCase()] ??= []).push(value.reveal());
  const basic = (user: string, password: string) => [`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`];
  const { authorization, basicAuth } = http;
  if (authorization) headers.authorization = [`${authorization.type} ${authorization.credentials.reveal()}`];
  else if (basicAuth) headers.authorization = basic(basicAuth.username, basicAuth.password.reveal());
  else if (url.username)
    headers.authorization ??= basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  return headers;
}

/** Frees the connection for the next message: reads the rest if it is small, else closes. Nobody waits for it. */
function discard(body: Dispatcher.ResponseData['body'], signal: AbortSignal): Promise<void> {
  return body.dump({ limit: answerLimit, signal }).catch(() => {
    // The answer counts, however its body ends.
  });
}

/** The first bytes of an answer; `tolerant`, what came of them when it breaks off. */
async function beginningOf(body: Dispatcher.ResponseData['body'], { tolerant = false } = {}): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= answerLimit) break;
    }
  } catch (error) {
    if (!tolerant) throw error;
  }
  return Buffer.concat(chunks).subarray(0, answerLimit).toString('utf8');
}
