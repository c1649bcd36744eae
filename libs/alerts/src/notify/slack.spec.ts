import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SlackIntegration, SlackTexts } from '../config/integration.js';
import { Secret } from '../config/secret.js';
import { parseTemplate } from '../config/template.js';
import { createNotifier } from './create-notifier.js';
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

const payload = renderPayload({
  receiver: 'team',
  groupKey: '{}:{alertname="Slow"}',
  groupLabels: { alertname: 'Slow' },
  externalURL: options.externalURL,
  alerts: ['a', 'b'].map((host) => ({
    ...{ status: 'firing', labels: { alertname: 'Slow', host }, annotations: { summary: `<!channel> R&D on ${host}` } },
    ...{ startsAt: '2026-11-22T16:00:00Z', generatorURL: '', fingerprint: host },
  })),
});

interface Posted {
  channel?: string;
  text?: string;
  attachments: (Record<string, unknown> & { title?: string; text: string })[];
}
const received: { request: IncomingMessage; message: Posted }[] = [];
const servers: Server[] = [];
const notifiers: Notifier[] = [];
const token = 'xoxb-planted-token';
const hook = '/services/T00000000/B00000000/planted-hook';

/** A server on loopback that answers each request by its listener. */
async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Slack as it is documented: incoming webhooks, and `chat.postMessage`, each strict about what it takes. */
function fakeSlack(): Promise<string> {
  return listening((request, response) => {
    void text(request).then((body) => {
      const webhook = request.url === hook;
      const say = (status: number, reason: string) =>
        webhook || request.url !== '/api/chat.postMessage'
          ? response.writeHead(status, { 'content-type': 'text/html' }).end(reason)
          : response
              .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
              .end(
                JSON.stringify(reason === 'ok' ? { ok: true, ts: '1.2', message: body } : { ok: false, error: reason }),
              );
      const message = parsed(body);
      if (!webhook && request.url !== '/api/chat.postMessage') return say(404, 'no_service');
      if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json; charset=utf-8')
        return say(400, 'invalid_payload');
      if (!webhook && request.headers.authorization !== `Bearer ${token}`) return say(200, 'invalid_auth');
      if (!message || !isMessage(message)) return say(400, 'invalid_payload');
      if (!message.text && !message.attachments.some(({ title, text, fields }) => title || text || fields))
        return say(400, 'no_text');
      if (!webhook && !message.channel) return say(200, 'channel_not_found');
      if (message.channel === '#gone') return say(404, 'channel_not_found');
      if (body.length > 40_000) return say(400, 'msg_too_long');
      received.push({ request, message });
      return say(200, 'ok');
    });
  });
}

const known = new Set([
  ...[
    'title',
    'title_link',
    'pretext',
    'text',
    'fallback',
    'callback_id',
    'fields',
    'actions',
    'image_url',
    'thumb_url',
  ],
  ...['footer', 'color', 'mrkdwn_in'],
]);

function isMessage(message: Posted): boolean {
  const { attachments, link_names: linkNames = true, ...texts } = message as Posted & { link_names?: unknown };
  return (
    typeof linkNames === 'boolean' &&
    Object.values(texts).every((value) => typeof value === 'string' && value !== '') &&
    Object.keys(texts).every((name) => ['channel', 'username', 'icon_emoji', 'icon_url', 'text'].includes(name)) &&
    attachments.length === 1 &&
    Object.keys(attachments[0]!).every((name) => known.has(name))
  );
}

function parsed(body: string): Posted | undefined {
  try {
    return JSON.parse(body) as Posted;
  } catch {
    return undefined;
  }
}

const TEXTS = {
  ...{ channel: '#alerts', username: 'Eyrie', icon_emoji: '', icon_url: '', message_text: '', color: '{color}' },
  ...{ title: '{title}', title_link: '{externalURL}', pretext: '', text: '{list}', fallback: '{title}' },
  ...{ callback_id: '', footer: '', image_url: '', thumb_url: '' },
};

function slack(
  url: string,
  texts: Partial<Record<keyof SlackTexts, string>> = {},
  more: Partial<SlackIntegration> = {},
  moreOptions: Partial<NotifyOptions> = {},
): Notifier {
  const entries = Object.entries({ ...TEXTS, ...texts }).map(([name, value]) => [name, parseTemplate(value)] as const);
  const integration: SlackIntegration = {
    ...{ key: 'team/slack/0', receiver: 'team', index: 0, sendResolved: true, type: 'slack', url: new Secret(url) },
    http: { headers: [], tls: { rejectUnauthorized: true }, followRedirects: true },
    texts: Object.fromEntries(entries) as SlackTexts,
    ...{ fields: [], actions: [], mrkdwnIn: ['text'], linkNames: false },
    ...more,
  };
  const notifier = createNotifier(integration, { ...options, ...moreOptions });
  notifiers.push(notifier);
  return notifier;
}

const app: Partial<SlackIntegration> = {
  http: {
    authorization: { type: 'Bearer', credentials: new Secret(token) },
    ...{ headers: [], tls: { rejectUnauthorized: true }, followRedirects: true },
  },
};

const send = (notifier: Notifier, what: NotificationPayload = payload, signal = new AbortController().signal) =>
  notifier.notify({ id: 'id-1', attempt: 1, payload: what, body: 'not sent', signal });

beforeEach(() => void received.splice(0));

afterEach(async () => {
  servers.forEach((server) => server.closeAllConnections());
  await Promise.all(notifiers.splice(0).map((notifier) => notifier.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('the message', () => {
  it('H7: goes to an incoming webhook', async () => {
    const url = `${await fakeSlack()}${hook}`;
    expect(await send(slack(url))).toEqual({ outcome: 'delivered', statusCode: 200 });
    expect(received[0]?.request.headers['user-agent']).toBe('Eyrie/1.2.3');
    expect(received[0]?.message).toEqual({
      ...{ channel: '#alerts', username: 'Eyrie' },
      attachments: [
        {
          ...{ title: '[FIRING:2] Slow', title_link: 'https://hub.example.com', fallback: '[FIRING:2] Slow' },
          text: '• &lt;!channel&gt; R&amp;D on a (host=a)\n• &lt;!channel&gt; R&amp;D on b (host=b)',
          ...{ color: 'danger', mrkdwn_in: ['text'] },
        },
      ],
    });
  });

  it('H7: goes to chat.postMessage with the token of an app', async () => {
    const url = `${await fakeSlack()}/api/chat.postMessage`;
    expect(await send(slack(url, {}, app))).toEqual({ outcome: 'delivered', statusCode: 200 });
    expect(received[0]?.message.channel).toBe('#alerts');
  });

  it('H7: tells of the end', async () => {
    const over: NotificationPayload = {
      ...payload,
      status: 'resolved',
      alerts: payload.alerts.map((alert) => ({ ...alert, status: 'resolved' })),
    };
    await send(slack(`${await fakeSlack()}${hook}`), over);
    expect(received[0]?.message.attachments[0]).toMatchObject({ title: '[RESOLVED] Slow', color: 'good' });
  });

  it("H7: has every part, the configuration's markup as it is and that of alerts escaped", async () => {
    const notifier = slack(
      `${await fakeSlack()}${hook}`,
      {
        ...{
          channel: '#{labels.alertname}',
          icon_emoji: ':eagle:',
          icon_url: 'https://i',
          message_text: '<!here> {status}',
        },
        ...{ text: '<{externalURL}|all> {annotations.x}', title_link: '{externalURL}/?a=1&b=2', callback_id: 'c' },
        ...{ pretext: '*{labels.alertname}*', footer: 'f', image_url: 'https://i/?a&b', thumb_url: 'https://t' },
      },
      {
        linkNames: true,
        fields: [{ title: 'Name', value: parseTemplate('{annotations.x}'), short: true }],
        actions: [
          {
            type: 'button',
            text: parseTemplate('{annotations.x}'),
            url: parseTemplate('https://u/?q={annotations.x}'),
          },
          { type: 'button', text: 'Ack', name: 'ack', value: 'v', confirm: { text: 'Sure?', ok_text: 'Yes' } },
        ],
      },
    );
    expect(await send(notifier, { ...payload, commonAnnotations: { x: '<&>' } })).toMatchObject({
      outcome: 'delivered',
    });
    expect(received[0]?.message).toEqual({
      ...{ channel: '#Slow', username: 'Eyrie', icon_emoji: ':eagle:', icon_url: 'https://i' },
      ...{ text: '<!here> firing', link_names: true },
      attachments: [
        {
          ...{
            title: '[FIRING:2] Slow',
            title_link: 'https://hub.example.com/?a=1&b=2',
            pretext: '*Slow*',
            callback_id: 'c',
          },
          ...{
            text: '<https://hub.example.com|all> &lt;&amp;&gt;',
            fallback: '[FIRING:2] Slow',
            footer: 'f',
            color: 'danger',
          },
          ...{ image_url: 'https://i/?a&b', thumb_url: 'https://t', mrkdwn_in: ['text'] },
          fields: [{ title: 'Name', value: '&lt;&amp;&gt;', short: true }],
          actions: [
            { type: 'button', text: '&lt;&amp;&gt;', url: 'https://u/?q=<&>' },
            { type: 'button', text: 'Ack', name: 'ack', value: 'v', confirm: { text: 'Sure?', ok_text: 'Yes' } },
          ],
        },
      ],
    });
  });

  it('H7: is short enough for Slack, whatever the alerts say', async () => {
    const long = '&'.repeat(60_000);
    const texts = { title: '{annotations.x}', text: '{annotations.x}', pretext: 'x {annotations.x}', fallback: '' };
    const notifier = slack(`${await fakeSlack()}${hook}`, texts, {
      fields: [{ title: 'a', value: parseTemplate('{annotations.x}'), short: false }],
    });
    expect(await send(notifier, { ...payload, commonAnnotations: { x: long } })).toMatchObject({
      outcome: 'delivered',
    });
    const { title, text: body, pretext } = received[0]!.message.attachments[0]!;
    // Whole characters only: none of `&amp;` is cut in two.
    expect(title).toMatch(/^(&amp;){204}…$/);
    expect(body).toMatch(/^(&amp;){1599}…$/);
    expect(pretext).toMatch(/^x (&amp;){1599}…$/);
  });
});

describe('what Slack answers', () => {
  const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
    listening(
      (request, response) => void request.resume().on('end', () => response.writeHead(status, headers).end(body)),
    );

  it.each<[number, string, Delivery['outcome']]>([
    [200, 'ok', 'delivered'],
    [200, ' ok\n', 'delivered'],
    [200, '{"ok":true}', 'delivered'],
    [200, `{"ok":true,"message":"${'x'.repeat(9000)}"}`, 'delivered'],
    [200, '{"ok":false,"error":"channel_not_found"}', 'final'],
    [200, '{"ok":false,"error":"not_in_channel"}', 'final'],
    [200, '{"ok":false,"error":"invalid_auth"}', 'final'],
    [200, '{"ok":false,"error":"ratelimited"}', 'recoverable'],
    [200, '{"ok":false,"error":"rate_limited"}', 'recoverable'],
    [200, '{"ok":false,"error":"internal_error"}', 'recoverable'],
    [200, '{"ok":false,"error":"service_unavailable"}', 'recoverable'],
    [200, '{"ok":false}', 'final'],
    [200, 'no_text', 'final'],
    [200, '', 'final'],
    [200, '<html>Sign in</html>', 'final'],
    [400, 'invalid_payload', 'final'],
    [400, 'no_text', 'final'],
    [403, 'action_prohibited', 'final'],
    [404, 'channel_not_found', 'final'],
    [410, 'channel_is_archived', 'final'],
    [429, 'rate_limited', 'recoverable'],
    [500, 'rollup_error', 'recoverable'],
    [503, '', 'recoverable'],
  ])('H7: %i %s is %s', async (status, body, outcome) => {
    const delivery = await send(slack(await answering(status, body)));
    expect(delivery).toMatchObject({ outcome, statusCode: status });
    const named = /^\w+$|error":"(\w+)"/.exec(body.trim());
    if (outcome !== 'delivered' && named) expect(delivery.error).toContain(named[1] ?? named[0]);
  });

  it.each([
    [429, 'rate_limited'],
    [200, '{"ok":false,"error":"ratelimited"}'],
  ])('H7: a Retry-After with %i %s is heeded', async (status, body) => {
    expect(await send(slack(await answering(status, body, { 'retry-after': '30' })))).toMatchObject({
      ...{ outcome: 'recoverable', retryAfterMs: 30_000 },
    });
  });

  it.each([
    ['a channel that is gone', `${hook}`, { channel: '#gone' }, 'channel_not_found'],
    ['nothing to say', `${hook}`, { title: '', text: '{annotations.none}' }, 'no_text'],
    ['a webhook that was removed', '/services/T00000000/B00000000/another', {}, 'no_service'],
    ['a token that was revoked', '/api/chat.postMessage', {}, 'invalid_auth'],
  ])('H7: %s is final', async (_name, path, texts, reason) => {
    const delivery = await send(slack(`${await fakeSlack()}${path}`, texts));
    expect(delivery).toMatchObject({ outcome: 'final', error: expect.stringContaining(reason) as unknown });
  });

  it('H7: an answer that breaks off may have been a success: it is tried again', async () => {
    const url = await listening((request, response) => {
      response.writeHead(200, { 'content-length': 2 }).write('o', () => request.socket.resetAndDestroy());
    });
    expect(await send(slack(url))).toMatchObject({ outcome: 'recoverable' });
  });

  it('H7: no answer costs no more than the time limit', async () => {
    const limit = new AbortController();
    const url = await listening(() => limit.abort());
    const notifier = slack(url, {}, { timeoutMs: 2500 }, { deadline: () => limit.signal });
    expect(await send(notifier)).toMatchObject({
      ...{ outcome: 'recoverable', error: expect.stringContaining('no answer within 2500 ms') as unknown },
    });
  });

  it('C5: shows neither the URL nor the token, even if the answer repeats them', async () => {
    const path = `/services/T1234567/B1234567/${randomUUID()}`;
    for (const status of [200, 404]) {
      const url = await listening((request, response) => {
        const said = `no ${request.url} for ${request.headers.authorization} ${'x'.repeat(9000)}`;
        request.resume().on('end', () => response.writeHead(status).end(said));
      });
      const { error = '' } = await send(slack(`${url}${path}`, {}, app));
      expect(error).toMatch(/^Slack at 127\.0\.0\.1:\d+ /);
      for (const secret of [...path.split('/').filter((part) => part.length > 8), token])
        expect(error).not.toContain(secret);
      expect(error.length).toBeLessThan(300);
    }
  });
});
