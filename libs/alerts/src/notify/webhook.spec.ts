import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpSettings } from '../config/integration.js';
import { Secret } from '../config/secret.js';
import { createNotifier } from './create-notifier.js';
import { renderPayload } from './payload.js';
import type { Notifier, NotifyOptions } from './types.js';

const http: HttpSettings = { headers: [], tls: { rejectUnauthorized: true }, followRedirects: true };
const payload = renderPayload({
  receiver: 'team',
  groupKey: '{}:{}',
  groupLabels: {},
  externalURL: 'http://hub',
  alerts: [],
});
// Spaces and order that JSON.stringify would not give: the stored text must arrive as it is.
const body = `{ "version": "4",  "note": "größer 🦅" }`;
const options: NotifyOptions = {
  version: '1.2.3',
  externalURL: 'http://hub',
  timeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  connections: 2,
  allowPrivate: ['all'],
};

/** Requests as they came, with their bodies. */
const received: { request: IncomingMessage; body: string }[] = [];
const servers: Server[] = [];
const notifiers: Notifier[] = [];

/** A server on loopback that answers each request by its listener. */
async function receiver(answer: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ request, body });
      answer(request, response);
    });
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answering(status: number, headers: Record<string, string> = {}, content = ''): RequestListener {
  return (_request, response) => response.writeHead(status, headers).end(content);
}

function webhook(url: string, settings: Partial<HttpSettings> = {}, more: Partial<NotifyOptions> = {}): Notifier {
  const integration = {
    key: 'team/webhook/0',
    receiver: 'team',
    index: 0,
    sendResolved: true,
    type: 'webhook' as const,
  };
  const notifier = createNotifier(
    { ...integration, url: new Secret(url), maxAlerts: 0, http: { ...http, ...settings } },
    { ...options, ...more },
  );
  notifiers.push(notifier);
  return notifier;
}

const send = (notifier: Notifier, signal = new AbortController().signal) =>
  notifier.notify({ id: '0198c1a2-0000-7000-8000-000000000001', attempt: 3, payload, body, signal });

beforeEach(() => void received.splice(0));

afterEach(async () => {
  servers.forEach((server) => server.closeAllConnections());
  await Promise.all(notifiers.splice(0).map((notifier) => notifier.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('the message', () => {
  it('H1: carries the stored text, byte for byte, with the idempotency key and the number of the attempt', async () => {
    const url = await receiver(answering(200));
    expect(await send(webhook(`${url}/hook?a=b`))).toEqual({ outcome: 'delivered', statusCode: 200 });
    const [{ request, body: got }] = received as [(typeof received)[0]];
    expect(got).toBe(body);
    expect([request.method, request.url]).toEqual(['POST', '/hook?a=b']);
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Eyrie/1.2.3',
      'idempotency-key': '0198c1a2-0000-7000-8000-000000000001',
      'eyrie-attempt': '3',
    });
    expect(request.headers).not.toHaveProperty('eyrie-signature');
  });

  it('H7: is signed over time and body when there is a secret for it', async () => {
    const url = await receiver(answering(204));
    await send(webhook(url, {}, { signingSecret: 'a signing secret', now: () => 1_700_000_000_999 }));
    const digest = createHmac('sha256', 'a signing secret').update(`1700000000.${body}`).digest('hex');
    expect(received[0]?.request.headers['eyrie-signature']).toBe(`t=1700000000,v1=${digest}`);
  });

  it.each<[string, string, Partial<HttpSettings>, string]>([
    ['authorization', '', { authorization: { type: 'Bearer', credentials: new Secret('tok') } }, 'Bearer tok'],
    ['basic auth', '', { basicAuth: { username: 'ü', password: new Secret('p:w') } }, `Basic ${btoa('Ã¼:p:w')}`],
    ['a user in the URL', 'me:s%20p@', {}, `Basic ${btoa('me:s p')}`],
  ])('H4: authorises by %s', async (_name, user, settings, expected) => {
    const url = await receiver(answering(200));
    await send(webhook(url.replace('//', `//${user}`), settings));
    expect(received[0]?.request.headers.authorization).toBe(expected);
  });

  it('H4: has the headers of the integration, repeated ones too', async () => {
    const url = await receiver(answering(200));
    const headers = ['one', 'two'].map((value) => ({ name: 'X-Team', value: new Secret(value) }));
    await send(webhook(url, { headers }));
    expect(received[0]?.request.headersDistinct['x-team']).toEqual(['one', 'two']);
  });

  it('H7: goes out over a connection that is kept, and over no more than the bound', async () => {
    const ports = new Set<number | undefined>();
    const url = await receiver((request, response) => {
      ports.add(request.socket.remotePort);
      response.writeHead(200).end('thanks');
    });
    const notifier = webhook(url);
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 10 }, () => send(notifier)));
    expect(received).toHaveLength(30);
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('what an answer means', () => {
  it.each([200, 201, 202, 204, 299])('H7: %i is delivered', async (status) => {
    expect(await send(webhook(await receiver(answering(status))))).toMatchObject({ outcome: 'delivered' });
  });

  it.each([500, 502, 503, 504, 599, 408, 425, 429])('H7: %i is recoverable', async (status) => {
    expect(await send(webhook(await receiver(answering(status))))).toMatchObject({
      outcome: 'recoverable',
      statusCode: status,
    });
  });

  it.each([300, 304, 400, 401, 403, 404, 410, 413, 422])('H7: %i is final', async (status) => {
    expect(await send(webhook(await receiver(answering(status))))).toMatchObject({
      outcome: 'final',
      statusCode: status,
    });
  });

  it.each([
    ['seconds', '120', 120_000],
    ['an HTTP date', 'Wed, 21 Oct 2026 07:28:00 GMT', 60_000],
    ['a date that has passed', 'Wed, 21 Oct 2026 07:26:00 GMT', 0],
    ['nonsense', 'soon', undefined],
  ])('H7: 429 with a Retry-After of %s', async (_name, value, expected) => {
    const now = () => Date.parse('2026-10-21T07:27:00Z');
    const delivery = await send(webhook(await receiver(answering(429, { 'retry-after': value })), {}, { now }));
    expect(delivery).toEqual({
      outcome: 'recoverable',
      statusCode: 429,
      error: expect.stringMatching(/^webhook at 127\.0\.0\.1:\d+ answered 429$/) as unknown,
      ...(expected !== undefined && { retryAfterMs: expected }),
    });
  });
});

describe('a receiver in trouble', () => {
  /** A deadline that the test decides on. */
  function deadline() {
    const controller = new AbortController();
    return { over: () => controller.abort(), deadline: () => controller.signal };
  }

  it('H7: that never answers costs no more than the time limit', async () => {
    const { over, deadline: limit } = deadline();
    const url = await receiver(over);
    expect(await send(webhook(url, {}, { deadline: limit }))).toEqual({
      outcome: 'recoverable',
      error: expect.stringContaining('gave no answer within 10000 ms') as unknown,
    });
  });

  it('H7: that is hung up on by a shutdown leaves the notification for another attempt', async () => {
    const stop = new AbortController();
    const url = await receiver(() => stop.abort());
    expect(await send(webhook(url), stop.signal)).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringContaining('interrupted') as unknown,
    });
  });

  it('H7: that breaks off its answer is taken at its status', async () => {
    const url = await receiver(({ socket }, response) => {
      response.writeHead(400, { 'content-length': 100 }).write('half a', () => socket.end());
    });
    const delivery = await send(webhook(url));
    expect(delivery).toMatchObject({ outcome: 'final', error: expect.stringContaining(': half a') as unknown });
  });

  it('H7: that drips a 200 has delivered at once', async () => {
    const url = await receiver((_request, response) => void response.writeHead(200).write('drip'));
    const { over, deadline: limit } = deadline();
    // No limit of its own may end the wait for a body that never does.
    const delivery = await send(webhook(url, {}, { deadline: limit, timeoutMs: 600_000 }));
    expect(delivery).toMatchObject({ outcome: 'delivered' });
    over();
  });

  it('H7: that resets the connection is recoverable', async () => {
    const url = await receiver((request) => request.socket.resetAndDestroy());
    expect(await send(webhook(url))).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringContaining('closed the connection') as unknown,
    });
  });

  it('H7: that nobody listens for is recoverable', async () => {
    const url = await receiver(answering(200));
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await send(webhook(url))).toMatchObject({
      outcome: 'recoverable',
      error: expect.stringContaining('refused the connection') as unknown,
    });
  });

  it('H7: that answers without end is read no further than 4 KiB', async () => {
    let written = 0;
    const url = await receiver((_request, response) => {
      response.writeHead(500);
      const more = () => {
        for (let room = true; room && !response.destroyed; written += 65_536) room = response.write('x'.repeat(65_536));
      };
      response.on('drain', more);
      more();
    });
    const delivery = await send(webhook(url));
    expect(delivery).toMatchObject({ outcome: 'recoverable', statusCode: 500 });
    expect('error' in delivery && delivery.error?.length).toBeLessThan(300);
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('H7: that speaks another protocol is recoverable, and one with an impossible header final', async () => {
    const url = await receiver((request) => request.socket.end('220 mail.example.com ESMTP\r\n'));
    expect(await send(webhook(url))).toMatchObject({ outcome: 'recoverable' });
    const headers = [{ name: 'X-Bad', value: new Secret('a\nb') }];
    expect(await send(webhook(url, { headers }))).toMatchObject({ outcome: 'final' });
  });
});

describe('redirects', () => {
  const credentials: Partial<HttpSettings> = {
    authorization: { type: 'Bearer', credentials: new Secret('a-token') },
    headers: [{ name: 'X-Key', value: new Secret('a-key') }],
  };
  const signingSecret = 'a signing secret';

  it('H7: are not followed unless the configuration says so', async () => {
    const url = await receiver(answering(307, { location: '/new' }));
    expect(await send(webhook(url, { followRedirects: false }))).toMatchObject({ outcome: 'final', statusCode: 307 });
    expect(received).toHaveLength(1);
  });

  it('H7: keep method, body and credentials within an origin', async () => {
    const url = await receiver((request, response) =>
      answering(request.url === '/old' ? 308 : 200, { location: '/new' })(request, response),
    );
    expect(await send(webhook(`${url}/old`, credentials, { signingSecret }))).toMatchObject({ outcome: 'delivered' });
    expect(received[1]).toMatchObject({ body, request: { method: 'POST', url: '/new' } });
    expect(received[1]?.request.headers).toMatchObject({ authorization: 'Bearer a-token', 'x-key': 'a-key' });
    expect(received[1]?.request.headers).toHaveProperty('eyrie-signature');
  });

  it('I4: take no credentials to another origin, nor back again', async () => {
    let there = '';
    const here = await receiver((request, response) =>
      answering(request.url === '/back' ? 200 : 307, { location: there })(request, response),
    );
    there = await receiver(answering(307, { location: `${here}/back` }));
    expect(await send(webhook(here, credentials, { signingSecret }))).toMatchObject({ outcome: 'delivered' });
    expect(received).toHaveLength(3);
    for (const { request } of received.slice(1)) {
      for (const name of ['authorization', 'x-key', 'eyrie-signature'])
        expect(request.headers).not.toHaveProperty(name);
      expect(request.headers).toHaveProperty('idempotency-key');
    }
  });

  it.each([
    ['302, which would lose the message', 302, '/new'],
    ['to another scheme', 307, 'https://127.0.0.1/'],
    ['to nowhere', 307, ''],
    ['without end', 307, '/again'],
  ])('H7: end as final if they go %s', async (_name, status, location) => {
    const url = await receiver(answering(status, { location }));
    expect(await send(webhook(url))).toMatchObject({ outcome: 'final', statusCode: status });
    expect(received.length).toBe(location === '/again' ? 4 : 1);
  });
});

describe('secrets', () => {
  it('C5: of URL and headers are in no error, even if the receiver repeats them', async () => {
    const [user, path, query, token] = Array.from({ length: 4 }, () => randomUUID());
    const url = await receiver((request, response) =>
      answering(
        404,
        {},
        `Cannot POST ${request.url} for ${request.headers.authorization}\u0007 ${'x'.repeat(9000)}`,
      )(request, response),
    );
    const secretUrl = `${url.replace('//', `//${user}:pw@`)}/services/${path}?token=${query}`;
    const authorization = { type: 'Bearer', credentials: new Secret(token!) };
    for (const target of [secretUrl, secretUrl.replace(/:\d+\//, ':1/')]) {
      const delivery = await send(webhook(target, { authorization }));
      const error = 'error' in delivery ? delivery.error! : '';
      expect(error).toMatch(/^webhook at 127\.0\.0\.1:\d+ /);
      for (const secret of [user, path, query, token]) expect(error).not.toContain(secret);
      expect(error.length).toBeLessThan(300);
      expect(error).not.toMatch(/[\u0000-\u001f]/);
    }
  });
});
