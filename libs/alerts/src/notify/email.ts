import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { NodemailerError, SMTPPoolOptions, SMTPPoolSentMessageInfo, Transporter } from 'nodemailer';
import type { EmailIntegration } from '../config/integration.js';
import { AddressGuard, refusalIn } from './address-guard.js';
import { AttemptLimit } from './attempt-limit.js';
import { smtpOutcome } from './delivery.js';
import { renderEmail } from './email-content.js';
import { type Excerpt, excerptWithout } from './excerpt.js';
import { describeFault } from './network-fault.js';
import { renderer } from './render-template.js';
import { tlsOptions } from './tls.js';
import { truncate } from './truncate.js';
import type { Delivery, NotificationPayload, Notifier, NotifyOptions, NotifyRequest } from './types.js';

/** SMTP's port for TLS from the first byte (RFC 8314); on others TLS begins with STARTTLS. */
const implicitTlsPort = 465;

/** What alerts may make of a header: a line of a message has at most 998 characters (RFC 5322, 2.1.1). */
const longestHeader = 900;

/**
 * Mails notifications through one SMTP server: one message to all addresses, over connections that are kept for the next.
 */
export class EmailNotifier implements Notifier {
  private readonly target: string;
  private readonly host: string;
  private readonly excerpt: Excerpt;
  private readonly transport: Promise<Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>>;
  private readonly underway = new Set<Promise<Delivery>>();

  constructor(
    private readonly integration: EmailIntegration,
    private readonly options: NotifyOptions,
  ) {
    const { smarthost, auth } = integration;
    this.target = `mail server at ${smarthost.host}:${smarthost.port}`;
    this.host = new URL(options.externalURL).hostname;
    this.excerpt = excerptWithout([auth?.password.reveal()]);
    this.transport = openTransport(integration, options);
  }

  async notify(request: NotifyRequest): Promise<Delivery> {
    const attempt = this.send(request);
    this.underway.add(attempt);
    return attempt.finally(() => this.underway.delete(attempt));
  }

  async close(): Promise<void> {
    await Promise.all(this.underway);
    (await this.transport).close();
  }

  private async send(request: NotifyRequest): Promise<Delivery> {
    const { timeoutMs } = this.options;
    const { from, to } = this.integration;
    const { subject, ...content } = renderEmail(request.payload, this.integration);
    const headers = withOverrides(
      { ...this.headers(request), Subject: subject, From: from, To: to.join(', ') },
      this.ownHeaders(request.payload),
    );
    const limit = new AttemptLimit(request.signal, timeoutMs, this.options);
    try {
      const { signal } = limit;
      const transport = await this.transport;
      return this.sent(await transport.sendMail({ envelope: { from, to: [...to] }, headers, ...content, signal }));
    } catch (error) {
      if (request.signal.aborted)
        return { outcome: 'recoverable', error: `${this.target}: the attempt was interrupted` };
      if (limit.exceeded)
        return { outcome: 'recoverable', error: `${this.target} did not take the message within ${timeoutMs} ms` };
      return this.fault(error as NodemailerError);
    } finally {
      limit.end();
    }
  }

  /** A repeat has the same Message-ID, so that it can be recognised; messages about one group form one thread. */
  private headers({ id, payload }: NotifyRequest): Record<string, string> {
    const group = createHash('sha256').update(payload.groupKey).digest('hex').slice(0, 32);
    const thread = `<group.${group}@${this.host}>`;
    return {
      'Message-ID': `<${id}@${this.host}>`,
      'In-Reply-To': thread,
      References: thread,
      'Auto-Submitted': 'auto-generated',
      'Eyrie-Notification': id,
    };
  }

  /** One line each, whatever the alerts say. */
  private ownHeaders(payload: NotificationPayload): Record<string, string> {
    const render = renderer(payload);
    const oneLine = (text: string) => truncate(text.replace(/\s+/g, ' ').trim(), longestHeader);
    return Object.fromEntries(
      Object.entries(this.integration.headers).map(([name, template]) => [
        name,
        typeof template === 'string' ? template : oneLine(render(template)),
      ]),
    );
  }

  /** Once one recipient has it, sending again would repeat it to them: it is delivered, and says whom it did not reach. */
  private sent({ rejected, rejectedErrors }: SMTPPoolSentMessageInfo): Delivery {
    if (rejected.length === 0) return { outcome: 'delivered' };
    return { outcome: 'delivered', error: `${this.target} refused ${this.refusals(rejected, rejectedErrors)}` };
  }

  private refusals(rejected: readonly string[], errors: readonly NodemailerError[] = []): string {
    return rejected
      .map((address) => {
        const reply = errors.find(({ recipient }) => recipient === address)?.response;
        return reply ? `${address} (${this.excerpt(reply)})` : address;
      })
      .join(', ');
  }

  private fault(error: NodemailerError): Delivery {
    if (refusalIn(error)) return describeFault(this.target, error);
    const { code, response, responseCode, rejected, rejectedErrors } = error;
    // How TLS fares is a matter of the connection, not of the message, whatever the reply to STARTTLS was.
    if (code === 'ETLS')
      return {
        outcome: 'recoverable',
        error: `${this.target}: no TLS${response ? `: ${this.excerpt(response)}` : ''}`,
      };
    if (responseCode !== undefined && response) {
      const said = rejected?.length
        ? `refused ${this.refusals(rejected, rejectedErrors)}`
        : `answered ${this.excerpt(response)}`;
      return { outcome: smtpOutcome(responseCode), error: `${this.target} ${said}`, statusCode: responseCode };
    }
    if (code && unsendable.has(code)) {
      return { outcome: 'final', error: `${this.target}: the message cannot be sent: ${this.excerpt(error.message)}` };
    }
    return describeFault(this.target, error);
  }
}

/** Nodemailer is loaded only where somebody is mailed: it is a tenth of the worker's memory. */
async function openTransport({ smarthost, auth, hello, requireTls, tls }: EmailIntegration, options: NotifyOptions) {
  const { createTransport } = await import('nodemailer');
  const connectTimeoutMs = Math.min(options.connectTimeoutMs, options.timeoutMs);
  return createTransport({
    pool: true,
    maxConnections: options.connections,
    // One, for the server that has closed a kept connection meanwhile; the other repeats are for the caller to time.
    maxRequeues: 1,
    host: smarthost.host,
    port: smarthost.port,
    secure: smarthost.port === implicitTlsPort,
    requireTLS: requireTls,
    ignoreTLS: !requireTls,
    tls: tlsOptions(tls),
    name: hello,
    ...(auth && { auth: { user: auth.username, pass: auth.password.reveal() } }),
    connectionTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    greetingTimeout: options.timeoutMs,
    socketTimeout: options.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...guardedSockets(new AddressGuard(options.allowPrivate), connectTimeoutMs),
  });
}

/** Opens the connections to the mail server ourselves where not every address will do. */
function guardedSockets(guard: AddressGuard, timeoutMs: number): Pick<SMTPPoolOptions, 'getSocket'> {
  if (guard.open) return {};
  return {
    getSocket({ host = 'localhost', port = 25 }, callback) {
      const refused = guard.refuseLiteral(host);
      if (refused) return callback(refused);
      const socket = connect({ host, port: Number(port), lookup: guard.lookup, timeout: timeoutMs });
      const failed = (error: Error) => {
        socket.destroy();
        callback(error);
      };
      const late = () => failed(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' }));
      socket.once('error', failed).once('timeout', late);
      socket.once('connect', () => {
        socket.off('error', failed).off('timeout', late).setTimeout(0);
        callback(null, { connection: socket });
      });
    },
  };
}

/** Found wrong before the server was asked: addresses, size, credentials. */
const unsendable = new Set(['EENVELOPE', 'EMESSAGE', 'EAUTH', 'ENOAUTH']);

/** Headers with those of the integration in place of ours of the same name, in whatever case they are written. */
function withOverrides(
  headers: Record<string, string>,
  overrides: Readonly<Record<string, string>>,
): Record<string, string> {
  const overridden = new Set(Object.keys(overrides).map((name) => name.toLowerCase()));
  const ours = Object.entries(headers).filter(([name]) => !overridden.has(name.toLowerCase()));
  return { ...Object.fromEntries(ours), ...overrides };
}
