import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpSettings, PagerdutyIntegration } from '../config/integration.js';
import { Secret } from '../config/secret.js';
import { parseTemplate, type Template } from '../config/template.js';
import { createNotifier } from './create-notifier.js';
import type { PagerdutyEvent } from './pagerduty.js';
import { renderPayload } from './payload.js';
import type { Delivery, NotificationPayload, Notifier, NotifyOptions } from './types.js';

const options: NotifyOptions = {
  version: '1.2.3',
  externalURL: 'https://hub.example.com',
  timeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  connections: 2,
  allowPrivate: ['all'],
};
const http: HttpSettings = { headers: [], tls: { rejectUnauthorized: true }, followRedirects: true };
const routingKey = 'planted0routing0key0of032letters';
const groupKey = '{}:{alertname="Slow"}';

const payloadOf = (status: 'firing' | 'resolved', annotations: Record<string, string> = {}) =>
  renderPayload({
    ...{ receiver: 'team', groupKey, groupLabels: { alertname: 'Slow' }, externalURL: options.externalURL },
    alerts: [
      {
        ...{ status, labels: { alertname: 'Slow', host: 'a', severity: 'high' }, annotations, fingerprint: '' },
        ...{ startsAt: '2026-11-22T16:00:00Z', endsAt: '2026-11-22T17:00:00Z', generatorURL: '' },
      },
    ],
  });

/** Incidents by their `dedup_key`, as PagerDuty keeps them. */
const incidents = new Map<string, 'open' | 'resolved'>();
const received: PagerdutyEvent[] = [];
const servers: Server[] = [];
const notifiers: Notifier[] = [];

/** A server on loopback that answers each request, once it is read, by its listener. */
async function listening(answer: (body: string, ...http: Parameters<RequestListener>) => void): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => answer(body, request, response));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The Events API v2 as it is documented, strict about what it takes. */
function fakePagerDuty(): Promise<string> {
  return listening((body, request, response) => {
    const say = (status: number, answer: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    if (request.method !== 'POST' || request.url !== '/v2/enqueue') return say(404, {});
    if (Buffer.byteLength(body) > 512_000) return say(413, {});
    const event = JSON.parse(body) as PagerdutyEvent;
    const errors = faultsOf(event);
    if (request.headers['content-type'] !== 'application/json') errors.push('content-type is wrong');
    if (errors.length > 0) return say(400, { status: 'invalid event', message: 'Event object is invalid', errors });
    received.push(event);
    incidents.set(event.dedup_key, event.event_action === 'trigger' ? 'open' : 'resolved');
    return say(202, { status: 'success', message: 'Event processed', dedup_key: event.dedup_key });
  });
}

function faultsOf({ payload, images, links, ...event }: PagerdutyEvent): string[] {
  const { summary, source, severity, custom_details: details, ...more } = payload;
  const { routing_key: key, event_action: action, dedup_key: dedup, client, client_url: clientUrl, ...rest } = event;
  const isText = (value: unknown) => value === undefined || (typeof value === 'string' && value !== '');
  const rules: [string, boolean][] = [
    ["Length of 'routing_key' is incorrect (should be 32 characters)", key.length === 32],
    ["'event_action' is invalid", ['trigger', 'acknowledge', 'resolve'].includes(action)],
    ["'dedup_key' is too long", dedup.length > 0 && dedup.length <= 255],
    ["'payload.summary' is missing or too long", isText(summary) && Array.from(summary).length <= 1024],
    ["'payload.source' is missing or blank", typeof source === 'string' && source !== ''],
    ["'payload.severity' is invalid", ['critical', 'error', 'warning', 'info'].includes(severity)],
    ["'payload.custom_details' is invalid", typeof details === 'object'],
    ['texts are blank', [client, clientUrl, ...Object.values(more)].every(isText)],
    ['unknown fields', Object.keys(rest).length === 0],
    ['unknown fields of payload', Object.keys(more).every((name) => ['class', 'component', 'group'].includes(name))],
    ["'images' are invalid", images.every(({ src, alt, href }) => src !== '' && isText(alt) && isText(href))],
    ["'links' are invalid", links.every(({ href, text: label }) => href !== '' && isText(label))],
  ];
  return rules.filter(([, holds]) => !holds).map(([fault]) => fault);
}

function pagerduty(url: string, more: Partial<PagerdutyIntegration> = {}): Notifier {
  const integration: PagerdutyIntegration = {
    ...{ key: 'team/pagerduty/0', receiver: 'team', index: 0, sendResolved: true, type: 'pagerduty' },
    ...{ url: new Secret(`${url}/v2/enqueue`), routingKey: new Secret(routingKey), http },
    ...{ client: 'Eyrie', clientUrl: parseTemplate('{externalURL}'), description: parseTemplate('{title}') },
    ...{ source: 'Eyrie', severity: 'error', class: '', component: '', group: '', images: [], links: [] },
    details: { firing: parseTemplate('{list.firing}'), num_firing: parseTemplate('{alerts.firing}') },
    ...more,
  };
  const notifier = createNotifier(integration, options);
  notifiers.push(notifier);
  return notifier;
}

const send = (notifier: Notifier, payload: NotificationPayload = payloadOf('firing'), id = 'id-1') =>
  notifier.notify({ id, attempt: 1, payload, body: 'not sent', signal: new AbortController().signal });

beforeEach(() => {
  received.splice(0);
  incidents.clear();
});

afterEach(async () => {
  servers.forEach((server) => server.closeAllConnections());
  await Promise.all(notifiers.splice(0).map((notifier) => notifier.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('the event', () => {
  it('H7: triggers an incident', async () => {
    expect(await send(pagerduty(await fakePagerDuty()))).toEqual({ outcome: 'delivered', statusCode: 202 });
    expect(received).toEqual([
      {
        ...{ routing_key: routingKey, event_action: 'trigger', client: 'Eyrie', client_url: 'https://hub.example.com' },
        dedup_key: createHash('sha256').update(groupKey).digest('hex'),
        payload: {
          ...{ summary: '[FIRING:1] Slow (a high)', source: 'Eyrie', severity: 'error' },
          custom_details: { firing: '• Slow', num_firing: '1' },
        },
        ...{ images: [], links: [] },
      },
    ]);
  });

  it('H1: of one group is one incident, however often it is sent, which the last one resolves', async () => {
    const notifier = pagerduty(await fakePagerDuty());
    for (const id of ['id-1', 'id-1', 'id-2']) await send(notifier, payloadOf('firing'), id);
    expect([...incidents.values()]).toEqual(['open']);
    await send(notifier, payloadOf('resolved'), 'id-3');
    expect([...incidents.values()]).toEqual(['resolved']);
    await send(notifier, { ...payloadOf('firing'), groupKey: '{}:{alertname="Down"}' });
    expect([...incidents.values()]).toEqual(['resolved', 'open']);
  });

  it('H7: has every part, as it is', async () => {
    const all = Object.fromEntries(
      ['client', 'clientUrl', 'description', 'source', 'class', 'component', 'group'].map((name) => [
        name,
        parseTemplate(`${name} {annotations.x}`),
      ]),
    );
    const notifier = pagerduty(await fakePagerDuty(), {
      ...all,
      details: { runbook: parseTemplate('{annotations.x}'), empty: '' },
      images: ['https://i', '{annotations.none}'].map((src) => ({ src: parseTemplate(src), alt: 'a', href: '' })),
      links: ['https://l/?{annotations.x}', ''].map((href) => ({ href: parseTemplate(href), text: '' })),
    });
    await send(notifier, payloadOf('firing', { x: '<&>' }));
    expect(received[0]).toMatchObject({
      ...{ client: 'client <&>', client_url: 'clientUrl <&>' },
      payload: {
        ...{ summary: 'description <&>', source: 'source <&>', class: 'class <&>', component: 'component <&>' },
        ...{ group: 'group <&>', custom_details: { runbook: '<&>', empty: '' } },
      },
      ...{ images: [{ src: 'https://i', alt: 'a' }], links: [{ href: 'https://l/?<&>' }] },
    });
    expect([received[0]?.images.length, received[0]?.links.length]).toEqual([1, 1]);
  });

  it.each<[string, string]>([
    ['{labels.severity}', 'error'],
    ['critical', 'critical'],
    ['WARNING', 'warning'],
    ['page', 'critical'],
    ['low', 'info'],
    ['{labels.none}', 'error'],
    ['catastrophic', 'error'],
  ])(
    'H7: of severity %s says %s: one that PagerDuty does not know would be no page at all',
    async (severity, expected) => {
      const notifier = pagerduty(await fakePagerDuty(), { severity: parseTemplate(severity) });
      expect(await send(notifier)).toMatchObject({ outcome: 'delivered' });
      expect(received[0]?.payload.severity).toBe(expected);
    },
  );

  it('H7: is accepted even if the alerts give it no summary and no source', async () => {
    const none = parseTemplate('{annotations.none}');
    expect(await send(pagerduty(await fakePagerDuty(), { description: none, source: none }))).toMatchObject({
      outcome: 'delivered',
    });
    expect(received[0]?.payload).toMatchObject({ summary: '[FIRING:1] Slow (a high)', source: 'Eyrie' });
  });

  it('H7: is as short as PagerDuty wants it', async () => {
    const x: Template = parseTemplate('{annotations.x}');
    const details = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}`, x]));
    const notifier = pagerduty(await fakePagerDuty(), { description: x, group: x, details });
    expect(await send(notifier, payloadOf('firing', { x: '🦅'.repeat(20_000) }))).toMatchObject({
      outcome: 'delivered',
    });
    const { summary, group, custom_details: sent } = received[0]!.payload;
    expect([Array.from(summary).length, Array.from(group!).length]).toEqual([1024, 1024]);
    expect(sent).toEqual({ error: expect.stringContaining('left out') as unknown });
  });
});

describe('what PagerDuty answers', () => {
  const answering = (status: number, body = '', headers: Record<string, string> = {}) =>
    listening((_body, _request, response) => void response.writeHead(status, headers).end(body));
  const invalid = '{"status":"invalid event","message":"Event object is invalid","errors":["bad"]}';

  it.each<[number, string, Delivery['outcome']]>([
    [202, '{"status":"success"}', 'delivered'],
    [202, '', 'delivered'],
    [200, '{"status": "success"}', 'delivered'],
    [200, '<html>Sign in</html>', 'recoverable'],
    [204, '', 'recoverable'],
    [400, invalid, 'final'],
    [403, '', 'final'],
    [404, '', 'final'],
    [413, '', 'final'],
    [429, '', 'recoverable'],
    [500, '', 'recoverable'],
    [503, '', 'recoverable'],
  ])('H7: %i %s is %s', async (status, body, outcome) => {
    const delivery = await send(pagerduty(await answering(status, body)));
    expect(delivery).toMatchObject({ outcome, statusCode: status });
    if (outcome !== 'delivered') expect(delivery.error).toMatch(/^PagerDuty at 127\.0\.0\.1:\d+ answered/);
  });

  it('H7: a Retry-After is heeded', async () => {
    expect(await send(pagerduty(await answering(429, '', { 'retry-after': '7' })))).toMatchObject({
      retryAfterMs: 7000,
    });
  });

  it('H7: a routing key that it does not know is final, and the error says why', async () => {
    const notifier = pagerduty(await fakePagerDuty(), { routingKey: new Secret('too-short-a-key') });
    expect(await send(notifier)).toMatchObject({
      ...{ outcome: 'final', statusCode: 400, error: expect.stringContaining('should be 32 characters') as unknown },
    });
  });

  it('C5: does not show the routing key, even if the answer repeats it', async () => {
    const url = await listening((body, _request, response) => void response.writeHead(400).end(body));
    const { error = '' } = await send(pagerduty(url));
    expect(error).toContain('[redacted]');
    expect(error).not.toContain(routingKey);
    expect(error.length).toBeLessThan(300);
  });

  it('I4: a redirect takes the routing key to no other host', async () => {
    const elsewhere = await fakePagerDuty();
    const away = await answering(307, '', { location: `${elsewhere}/v2/enqueue` });
    expect(await send(pagerduty(away))).toMatchObject({
      ...{ outcome: 'final', error: expect.stringContaining('leads to another host') as unknown },
    });
    expect(received).toEqual([]);
  });
});
