import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import dns, { type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { loadSettings } from 'eyrie/config';
import { Receiver } from '../../../../test/harness/receiver.js';
import type { EmailIntegration, WebhookIntegration } from '../config/integration.js';
import { Secret } from '../config/secret.js';
import { AddressGuard } from './address-guard.js';
import { createNotifier } from './create-notifier.js';
import { notifySettings } from './notify.config.js';
import { renderPayload } from './payload.js';
import type { Delivery, Notifier, NotifyOptions } from './types.js';

const options: NotifyOptions = {
  ...{ version: '1.2.3', externalURL: 'http://hub', timeoutMs: 5_000, connectTimeoutMs: 2_000, connections: 1 },
  allowPrivate: [],
};
const payload = renderPayload({
  receiver: 'team',
  groupKey: 'g',
  groupLabels: {},
  externalURL: 'http://hub',
  alerts: [],
});
const notifiers: Notifier[] = [];
let receiver: Receiver;
let port: string;

beforeEach(async () => {
  receiver = await Receiver.start();
  ({ port } = new URL(receiver.url));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(notifiers.splice(0).map((notifier) => notifier.close()));
  await receiver.close();
});

const identity = { key: 'team/x/0', receiver: 'team', index: 0, sendResolved: true };

function send(notifier: Notifier): Promise<Delivery> {
  notifiers.push(notifier);
  const { signal } = new AbortController();
  return notifier.notify({ id: 'id', attempt: 1, payload, body: JSON.stringify(payload), signal });
}

function webhook(url: string, allowPrivate: string[] = []): Notifier {
  const integration: WebhookIntegration = {
    ...identity,
    type: 'webhook',
    url: new Secret(url),
    maxAlerts: 0,
    http: { headers: [], tls: { rejectUnauthorized: true }, followRedirects: true },
  };
  return createNotifier(integration, { ...options, allowPrivate });
}

function email(host: string, smtpPort: number, allowPrivate: string[] = []): Notifier {
  const integration: EmailIntegration = {
    ...identity,
    type: 'email',
    ...{ to: ['a@example.org'], from: 'b@example.org', smarthost: { host, port: smtpPort }, hello: 'hub' },
    ...{ requireTls: false, tls: { rejectUnauthorized: true }, headers: {} },
  };
  return createNotifier(integration, { ...options, allowPrivate });
}

describe('I4: a webhook', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '0.0.0.0'])(
    'to %s is refused for good, with the setting and the address',
    async (host) => {
      const delivery = await send(webhook(`http://${host}:${port}/secret-path`));
      expect(delivery).toEqual({
        outcome: 'final',
        error: expect.stringMatching(
          /^webhook at \S+ resolves to \S+, an? (loopback|unspecified) address; NOTIFY_ALLOW_PRIVATE does not allow it$/,
        ),
      });
      expect(receiver.received).toEqual([]);
    },
  );

  it('to the metadata service of a cloud is refused, by http and https', async () => {
    for (const url of [
      'http://169.254.169.254/latest/meta-data',
      'https://169.254.169.254/',
      'http://[fd00:ec2::254]/',
    ]) {
      expect(await send(webhook(url))).toMatchObject({
        outcome: 'final',
        error: expect.stringContaining('NOTIFY_ALLOW'),
      });
    }
  });

  it.each([['127.0.0.0/8'], ['127.0.0.1'], ['all'], ['::ffff:127.0.0.1']])(
    'to loopback is let through by %s',
    async (allowed) => {
      expect(await send(webhook(receiver.url, [allowed]))).toMatchObject({ outcome: 'delivered' });
    },
  );

  it('is let through by the name of its host, which is then trusted wherever it leads', async () => {
    expect(await send(webhook(`http://LOCALHOST:${port}/`, ['localhost']))).toMatchObject({ outcome: 'delivered' });
    expect(new AddressGuard(['*.corp']).refuse('relay.corp.', '10.0.0.1')).toBeUndefined();
    expect(new AddressGuard(['*.corp']).refuse('evilcorp', '10.0.0.1')).toBeDefined();
    expect(new AddressGuard(['corp']).refuse('relay.corp', '10.0.0.1')).toBeDefined();
  });

  it('is not led to a refused address by a redirect', async () => {
    receiver.replies.push({ status: 307, headers: { location: `http://127.0.0.2:${port}/inside` } });
    expect(await send(webhook(receiver.url, ['127.0.0.1']))).toEqual({
      outcome: 'final',
      error: expect.stringContaining('resolves to 127.0.0.2, a loopback address'),
    });
    expect(receiver.received.map(({ path }) => path)).toEqual(['/']);
  });
});

describe('I4: names', () => {
  const answers = (...each: LookupAddress[][]) => {
    const next = each.values();
    return jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((_host: string, _options: object, callback: Callback) =>
        callback(null, next.next().value ?? [])) as never);
  };
  type Callback = (error: null, addresses: LookupAddress[]) => void;
  const inside = { address: '10.0.0.5', family: 4 };
  const outside = { address: '93.184.216.34', family: 4 };
  const ask = (guard: AddressGuard) =>
    promisify((done: (error: unknown, addresses?: unknown) => void) =>
      guard.lookup('rebind.example', { all: true }, (error, addresses) => done(error, addresses)),
    )();

  it('whose answers change are judged by each answer that is connected to', async () => {
    answers([outside], [inside]);
    const guard = new AddressGuard([]);
    expect(await ask(guard)).toEqual([outside]);
    await expect(ask(guard)).rejects.toThrow('resolves to 10.0.0.5, a private address');
  });

  it('with public and private addresses are connected to at the public ones only', async () => {
    answers([inside, outside]);
    expect(await ask(new AddressGuard([]))).toEqual([outside]);
  });

  it('without any address are not known', async () => {
    answers([]);
    await expect(ask(new AddressGuard([]))).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('I4: a mail server', () => {
  let server: Server;
  let connections: number;
  beforeEach(async () => {
    connections = 0;
    server = createTcpServer((socket) => {
      connections++;
      socket.end('554 no service\r\n');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => void server.close());
  const smtpPort = () => (server.address() as AddressInfo).port;

  it.each(['127.0.0.1', 'localhost', '0177.0.0.1'])('at %s is refused for good', async (host) => {
    expect(await send(email(host, smtpPort()))).toEqual({
      outcome: 'final',
      error: expect.stringMatching(/^mail server at \S+ resolves to \S+, a loopback address; NOTIFY_ALLOW_PRIVATE/),
    });
    expect(connections).toBe(0);
  });

  it('that is allowed is spoken to', async () => {
    const delivery = await send(email('127.0.0.1', smtpPort(), ['127.0.0.0/8']));
    expect(delivery).toMatchObject({ statusCode: 554 });
    expect(connections).toBeGreaterThan(0);
  });

  it('that refuses the connection may accept it later', async () => {
    const taken = smtpPort();
    server.close();
    expect(await send(email('127.0.0.1', taken, ['127.0.0.0/8']))).toEqual({
      outcome: 'recoverable',
      error: `mail server at 127.0.0.1:${taken} refused the connection`,
    });
  });
});

describe('NOTIFY_ALLOW_PRIVATE', () => {
  const load = (env: Record<string, string>) =>
    loadSettings({ notify: notifySettings }, { env, cwd: tmpdir() }).notify.allowPrivate;

  it('I4: allows nothing in production and staging, and everything at the desk', () => {
    const byEnvironment = ['production', 'staging', 'development', 'test'].map((ENVIRONMENT) => load({ ENVIRONMENT }));
    expect(byEnvironment).toEqual([['none'], ['none'], ['all'], ['all']]);
    expect(load({ ENVIRONMENT: 'production', NOTIFY_ALLOW_PRIVATE: '10.1.0.0/16, relay.corp' })).toEqual([
      '10.1.0.0/16',
      'relay.corp',
    ]);
  });

  it.each(['10.0.0.0/99', 'http://relay', '10.0.0.0/8;fd00::/8', '*'])('A2: %s is refused', (text) =>
    expect(() => load({ NOTIFY_ALLOW_PRIVATE: text })).toThrow(/NOTIFY_ALLOW_PRIVATE: wanted networks, hosts/),
  );
});
