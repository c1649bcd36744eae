import { createHmac } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import type { WebhookIntegration } from '../config/integration.js';
import { classifyHttp } from './delivery.js';
import { type Excerpt, excerptWithout, secretsOf } from './excerpt.js';
import { describeFault } from './network-fault.js';
import { redirectOf } from './redirect.js';
import { tlsOptions } from './tls.js';
import type { Delivery, Notifier, NotifyOptions, NotifyRequest } from './types.js';

/** How much of an answer is read; no receiver can make us hold more. */
const answerLimit = 4096;

/**
 * Posts notifications to one webhook over connections of its own, so that a slow receiver holds up no other. The URL of a
 * webhook is a secret: errors name its host only.
 */
export class WebhookNotifier implements Notifier {
  private readonly url: URL;
  private readonly target: string;
  private readonly credentials: Readonly<Record<string, string[]>>;
  private readonly excerpt: Excerpt;
  private readonly timeoutMs: number;
  private readonly agent: Agent;

  constructor(
    private readonly integration: WebhookIntegration,
    private readonly options: NotifyOptions,
  ) {
    this.url = new URL(integration.url.reveal());
    this.target = `webhook at ${this.url.host}`;
    this.credentials = credentialHeaders(integration, this.url);
    const sent = Object.values(this.credentials).flat();
    const words = sent.flatMap((value) => [value, ...value.split(' ')]);
    this.excerpt = excerptWithout([...secretsOf(this.url), ...words, integration.http.basicAuth?.password.reveal()]);
    this.timeoutMs = integration.timeoutMs || options.timeoutMs;
    this.agent = new Agent({
      connections: options.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: this.timeoutMs,
      bodyTimeout: this.timeoutMs,
      connect: { timeout: Math.min(options.connectTimeoutMs, this.timeoutMs), ...tlsOptions(integration.http.tls) },
    });
  }

  async notify(request: NotifyRequest): Promise<Delivery> {
    const deadline = this.options.deadline?.(this.timeoutMs) ?? AbortSignal.timeout(this.timeoutMs);
    try {
      return await this.post(request, AbortSignal.any([request.signal, deadline]));
    } catch (error) {
      if (request.signal.aborted)
        return { outcome: 'recoverable', error: `${this.target}: the attempt was interrupted` };
      if (deadline.aborted)
        return { outcome: 'recoverable', error: `${this.target} gave no answer within ${this.timeoutMs} ms` };
      return describeFault(this.target, error);
    }
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async post(request: NotifyRequest, signal: AbortSignal): Promise<Delivery> {
    const headers = this.messageHeaders(request);
    let url = this.url;
    let trusted = true;
    for (let hops = 0; ; hops++) {
      const answer = await this.agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: trusted ? { ...this.credentials, ...headers, ...this.signature(request.body) } : headers,
        body: request.body,
        signal,
      });
      const redirect = redirectOf(answer, url, hops, this.integration.http.followRedirects);
      if (redirect === undefined) return this.conclude(answer, signal);
      discard(answer.body, signal);
      if ('refused' in redirect) {
        const error = `${this.target} answered ${answer.statusCode}, a redirect that is not followed: ${redirect.refused}`;
        return { outcome: 'final', error, statusCode: answer.statusCode };
      }
      // What proves who we are goes to the origin of the configuration only, and not again to one that came after another.
      trusted &&= redirect.to.origin === url.origin;
      url = redirect.to;
    }
  }

  private async conclude(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    signal: AbortSignal,
  ): Promise<Delivery> {
    const delivered = statusCode >= 200 && statusCode < 300;
    if (delivered) discard(body, signal);
    const excerpt = delivered ? undefined : this.excerpt(await beginningOf(body));
    const retryAfter = [headers['retry-after']].flat()[0];
    return classifyHttp(this.target, { statusCode, retryAfter, excerpt }, this.now());
  }

  private messageHeaders({ id, attempt }: NotifyRequest): Record<string, string> {
    return {
      'content-type': 'application/json',
      'user-agent': `Eyrie/${this.options.version}`,
      'idempotency-key': id,
      'eyrie-attempt': String(attempt),
    };
  }

  /** Signs time and body together, so that a receiver can refuse an old message that somebody plays back. */
  private signature(body: string): Record<string, string> {
    const { signingSecret } = this.options;
    if (!signingSecret) return {};
    const time = Math.floor(this.now() / 1000);
    const digest = createHmac('sha256', signingSecret).update(`${time}.${body}`).digest('hex');
    return { 'eyrie-signature': `t=${time},v1=${digest}` };
  }

  private now(): number {
    return this.options.now?.() ?? Date.now();
  }
}

/** What the integration sends to prove who we are; a user in the URL counts where nothing else authorises. */
function credentialHeaders({ http }: WebhookIntegration, url: URL): Record<string, string[]> {
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
function discard(body: Dispatcher.ResponseData['body'], signal: AbortSignal): void {
  body.dump({ limit: answerLimit, signal }).catch(() => {
    // The answer counts, however its body ends.
  });
}

/** The first bytes of an answer. If it breaks off, or the time is up, what came so far. */
async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= answerLimit) break;
    }
  } catch {
    // The status line was the answer.
  }
  return Buffer.concat(chunks).subarray(0, answerLimit).toString('utf8');
}
