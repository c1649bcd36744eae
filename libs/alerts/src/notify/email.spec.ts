import { afterEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { EmailIntegration } from '../config/integration.js';
import { Secret } from '../config/secret.js';
import { parseTemplate } from '../config/template.js';
import { createNotifier } from './create-notifier.js';
import { renderPayload } from './payload.js';
import type { Notifier, NotifyOptions } from './types.js';

const options: NotifyOptions = {
  version: '1.2.3',
  externalURL: 'https://hub.example.com/eyrie',
  timeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  connections: 2,
  allowPrivate: ['all'],
};

const alert = (status: 'firing' | 'resolved', host: string) => ({
  status,
  labels: { alertname: 'Disk <full>', host },
  annotations: { summary: `Größe & "Maß" of ${host}` },
  startsAt: '2026-11-22T16:00:00Z',
  endsAt: '2026-11-22T17:00:00Z',
  generatorURL: 'http://prometheus/graph?a=1&b=2',
  fingerprint: '0123456789abcdef',
});
const payload = renderPayload({
  receiver: 'team',
  groupKey: '{}:{alertname="Disk <full>"}',
  groupLabels: { alertname: 'Disk <full>' },
  externalURL: options.externalURL,
  alerts: [alert('firing', 'a'), alert('resolved', 'b')],
});

interface Received {
  mail: ParsedMail;
  recipients: string[];
  session: SMTPServerSession;
}
const received: Received[] = [];
const servers: SMTPServer[] = [];
const closing: (() => Promise<unknown>)[] = [];

/** An SMTP server on loopback; without TLS unless told. */
async function mailServer(settings: SMTPServerOptions = {}): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 0,
    onData: (stream, session, callback) => {
      void simpleParser(stream).then((mail) => {
        received.push({ mail, session, recipients: session.envelope.rcptTo.map(({ address }) => address) });
        callback();
      });
    },
    ...settings,
  });
  servers.push(server);
  server.on('error', () => {}); // Clients that hang up are part of the tests.
  closing.push(() => new Promise<void>((resolve) => server.close(resolve)));
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return (listening.address() as AddressInfo).port;
}

function email(port: number, settings: Partial<EmailIntegration> = {}, more: Partial<NotifyOptions> = {}): Notifier {
  const notifier = createNotifier(
    {
      key: 'team/email/0',
      receiver: 'team',
      index: 0,
      sendResolved: true,
      type: 'email',
      to: ['Ops <ops@example.com>', 'dev@example.com'],
      from: 'Eyrie <eyrie@example.com>',
      smarthost: { host: '127.0.0.1', port },
      hello: 'hub.example.com',
      requireTls: false,
      tls: { rejectUnauthorized: true },
      headers: {},
      ...settings,
    },
    { ...options, ...more },
  );
  closing.unshift(() => notifier.close());
  return notifier;
}

const send = (notifier: Notifier, id = 'id-1', signal = new AbortController().signal, what = payload) =>
  notifier.notify({ id, attempt: 1, payload: what, body: JSON.stringify(what), signal });

/** An error with which the server answers a command. */
const reply = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  received.splice(0);
});

describe('the message', () => {
  it('H7: is one to all addresses, with text and HTML in which everything is escaped', async () => {
    expect(await send(email(await mailServer()))).toEqual({ outcome: 'delivered' });
    expect(received).toHaveLength(1);
    const [{ mail, recipients, session }] = received as [Received];
    expect(recipients).toEqual(['ops@example.com', 'dev@example.com']);
    expect(session.hostNameAppearsAs).toBe('hub.example.com');
    expect(mail.from?.text).toBe('"Eyrie" <eyrie@example.com>');
    expect([mail.to].flat()[0]?.text).toBe('"Ops" <ops@example.com>, dev@example.com');
    expect(mail.subject).toBe('[FIRING:1] Disk <full>');
    expect(mail.text).toContain('Firing (1)\n\nLabels:\n  alertname = Disk <full>\n  host = a\n');
    expect(mail.text).toContain('Resolved (1)\n\nLabels:\n  alertname = Disk <full>\n  host = b\n');
    expect(mail.text).toContain('Ended: 2026-11-22T17:00:00Z');
    const html = String(mail.html);
    expect(html).toContain('Größe &amp; &quot;Maß&quot; of a');
    expect(html).toContain('<a href="http://prometheus/graph?a=1&amp;b=2">');
    expect(html).not.toContain('<full>');
  });

  it('H1: is recognisable as a repeat, and as no answer to anybody', async () => {
    const notifier = email(await mailServer());
    await send(notifier, 'id-1');
    await send(notifier, 'id-1');
    await send(notifier, 'id-2');
    expect(received.map(({ mail }) => mail.messageId)).toEqual([
      '<id-1@hub.example.com>',
      '<id-1@hub.example.com>',
      '<id-2@hub.example.com>',
    ]);
    const [{ mail }] = received as [Received];
    expect(mail.headers.get('eyrie-notification')).toBe('id-1');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.references).toMatch(/^<group\.[0-9a-f]{32}@hub\.example\.com>$/);
    expect(new Set(received.map(({ mail: { references } }) => String(references))).size).toBe(1);
  });

  it('H4: has the headers of the integration, in place of ours in whatever case', async () => {
    await send(
      email(await mailServer(), {
        headers: { SUBJECT: 'Ünser', 'Reply-To': 'x@example.com', 'X-Team': 'a\r\nBcc: b@c.d' },
      }),
    );
    const [{ mail, recipients }] = received as [Received];
    expect(mail.subject).toBe('Ünser');
    expect(mail.replyTo?.text).toBe('x@example.com');
    expect(mail.headers.get('x-team')).toBe('a Bcc: b@c.d');
    expect(mail.bcc).toBeUndefined();
    expect(recipients).toHaveLength(2);
  });

  it('H7: has headers and texts that the alerts complete, each header one line', async () => {
    const headers = {
      Subject: parseTemplate('{status|upper}: {annotations.x}'),
      'X-Host': parseTemplate('{labels.host}'),
    };
    const texts = { html: parseTemplate('<p>{annotations.x}</p>'), text: parseTemplate('{alerts.firing} firing') };
    const notifier = email(await mailServer(), { headers, ...texts });
    const x = `a\r\nBcc: b@c.d <${'y'.repeat(2000)}`;
    expect(await send(notifier, 'id-1', undefined, { ...payload, commonAnnotations: { x } })).toEqual({
      outcome: 'delivered',
    });
    const [{ mail, recipients }] = received as [Received];
    expect(mail.subject).toMatch(/^FIRING: a Bcc: b@c\.d <y+…$/);
    expect(mail.subject).toHaveLength(900);
    expect(mail.headers.get('x-host') ?? '').toBe('');
    expect(mail.html).toMatch(/^<p>a<br>\nBcc: b@c\.d &lt;y+<\/p>/);
    expect(mail.text).toBe('1 firing');
    expect([mail.bcc, recipients.length]).toEqual([undefined, 2]);
  });

  it('H7: goes out over a connection that is kept', async () => {
    let connections = 0;
    const notifier = email(await mailServer({ onConnect: (_session, callback) => (connections++, callback()) }));
    for (let index = 0; index < 5; index++) await send(notifier);
    expect([received.length, connections]).toEqual([5, 1]);
  });
});

describe('the connection', () => {
  const { key, cert } = selfSigned();
  const tlsServer = { key, cert, disabledCommands: [] };

  it('H7: begins TLS before anything is said, and checks the certificate', async () => {
    const port = await mailServer(tlsServer);
    const trusting = { requireTls: true, tls: { rejectUnauthorized: true, ca: cert } };
    expect(await send(email(port, trusting))).toEqual({ outcome: 'delivered' });
    expect(received[0]?.session.secure).toBe(true);
    expect(await send(email(port, { requireTls: true, tls: { rejectUnauthorized: false } }))).toEqual({
      outcome: 'delivered',
    });
    const distrusted = await send(email(port, { requireTls: true }));
    expect(distrusted).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringMatching(/no TLS|CERT/) as unknown,
    });
    expect(received).toHaveLength(2);
  });

  it('H7: is not used without TLS when TLS is required', async () => {
    const auth = { username: 'eyrie', password: new Secret('a-password') };
    const delivery = await send(email(await mailServer(), { requireTls: true, auth }));
    expect(delivery).toMatchObject({ outcome: 'recoverable', error: expect.stringContaining('no TLS') as unknown });
    expect(received).toHaveLength(0);
  });

  it('H7: authenticates; a refused password is final and in no error', async () => {
    const port = await mailServer({
      onAuth: ({ username, password }, _session, callback) =>
        password === 'a-password'
          ? callback(null, { user: username })
          : callback(reply(535, `no such password: ${password}`)),
    });
    const auth = { username: 'eyrie', password: new Secret('a-password') };
    expect(await send(email(port, { auth }))).toEqual({ outcome: 'delivered' });
    expect(received[0]?.session.user).toBe('eyrie');
    const delivery = await send(email(port, { auth: { ...auth, password: new Secret('wrong-password') } }));
    expect(delivery).toEqual({
      outcome: 'final',
      statusCode: 535,
      error: expect.stringMatching(/^mail server at 127\.0\.0\.1:\d+ answered 535 .*\[redacted\]/) as unknown,
    });
  });
});

describe('a server that refuses', () => {
  it.each([
    [421, 'recoverable'],
    [450, 'recoverable'],
    [451, 'recoverable'],
    [452, 'recoverable'],
    [550, 'final'],
    [552, 'final'],
    [554, 'final'],
  ])('H7: with %i at every recipient is %s', async (code, outcome) => {
    const port = await mailServer({ onRcptTo: (_address, _session, callback) => callback(reply(code, 'not you')) });
    const delivery = await send(email(port));
    expect(delivery).toMatchObject({ outcome, statusCode: code, error: expect.stringContaining('not you') as unknown });
  });

  it('H7: the message itself with 451 is recoverable, with 554 final', async () => {
    let code = 451;
    const port = await mailServer({
      onData: (stream, _session, callback) => stream.on('end', () => callback(reply(code, 'not this'))).resume(),
    });
    const notifier = email(port);
    expect(await send(notifier)).toMatchObject({ outcome: 'recoverable', statusCode: 451 });
    code = 554;
    expect(await send(notifier)).toMatchObject({ outcome: 'final', statusCode: 554 });
  });

  it('H7: some recipients has delivered to the others, and says to whom not', async () => {
    const port = await mailServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('dev') ? reply(550, 'unknown user') : null),
    });
    expect(await send(email(port))).toEqual({
      outcome: 'delivered',
      error: expect.stringMatching(/refused dev@example\.com \(550 .*unknown user\)$/) as unknown,
    });
    expect(received[0]?.recipients).toEqual(['ops@example.com']);
  });

  it('H7: all recipients, one of them for now, is recoverable', async () => {
    const port = await mailServer({
      onRcptTo: ({ address }, _session, callback) => callback(reply(address.startsWith('ops') ? 450 : 550, 'no')),
    });
    expect(await send(email(port))).toMatchObject({ outcome: 'recoverable', statusCode: 450 });
  });
});

describe('a server in trouble', () => {
  /** A server that says nothing after it was connected to. */
  async function silentServer(onConnect: () => void): Promise<number> {
    const server = createServer((socket) => {
      closing.push(async () => socket.destroy());
      onConnect();
    });
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('H7: that says nothing costs no more than the time limit', async () => {
    const limit = new AbortController();
    const port = await silentServer(() => limit.abort());
    expect(await send(email(port, {}, { deadline: () => limit.signal }))).toEqual({
      outcome: 'recoverable',
      error: expect.stringContaining('did not take the message within 10000 ms') as unknown,
    });
  });

  it('H7: that is hung up on by a shutdown leaves the notification for another attempt', async () => {
    const stop = new AbortController();
    const port = await silentServer(() => stop.abort());
    const delivery = await send(email(port), 'id-1', stop.signal);
    expect(delivery).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringContaining('interrupted') as unknown,
    });
  });

  it('H7: that nobody listens for is recoverable', async () => {
    const port = await silentServer(() => {});
    await closing.pop()?.();
    const delivery = await send(email(port));
    expect(delivery).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringContaining('refused the connection') as unknown,
    });
  });

  it('H7: that closed a kept connection meanwhile gets the message over a new one', async () => {
    const notifier = email(await mailServer());
    expect(await send(notifier)).toEqual({ outcome: 'delivered' });
    for (const connection of servers.at(-1)!.connections) connection.close();
    expect(await send(notifier)).toEqual({ outcome: 'delivered' });
  });
});

/** A key and a certificate for 127.0.0.1 that signs itself, written as RFC 5280 has it: Node can read these, not make them. */
function selfSigned(): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = (tag: number, ...parts: Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    const size = content.length;
    return Buffer.concat([Buffer.from([tag, ...(size < 128 ? [size] : [0x82, size >> 8, size & 255])]), content]);
  };
  const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
  const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
  const time = (days: number) => {
    const at = new Date(Date.now() + days * 86_400_000).toISOString().replace(/\D/g, '');
    return der(0x17, Buffer.from(`${at.slice(2, 14)}Z`));
  };
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from('127.0.0.1'))))); // CN
  const addresses = sequence(der(0x87, Buffer.from([127, 0, 0, 1])));
  const certificate = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(time(-1), time(1)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(oid('551d11'), der(0x04, addresses)))), // subjectAltName
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', certificate, privateKey));
  const pem = sequence(certificate, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`,
  };
}
