import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClientOptions, EventClient } from '../../libs/realtime/fixtures/client.js';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';

const clients: EventClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

function follow({ url }: TestApi, options: ClientOptions = {}): EventClient {
  const client = new EventClient(url, { key: keys.operator, ...options });
  clients.push(client);
  return client;
}

async function following(api: TestApi, options: ClientOptions = {}): Promise<EventClient> {
  const client = follow(api, options);
  await client.told('hello');
  return client;
}

describe('a WebSocket', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi({
      env: {
        CORS_ORIGINS: 'https://console.example.org',
        WEBSOCKET_CONNECTIONS_PER_CALLER: '3',
        WEBSOCKET_HEARTBEAT: '200ms',
        WEBSOCKET_MESSAGE_SIZE: '1KiB',
      },
    });
  });
  afterAll(() => api.close());

  it.each([
    ['no key', {}, 401],
    ['a wrong key', { key: 'eyr_wrong' }, 401],
    ['a wrong key as a subprotocol', { protocols: ['eyrie', 'bearer.eyr_wrong'] }, 401],
    ['a key that may not read', { key: keys.ingest }, 403],
    ['the page of a stranger', { key: keys.operator, headers: { origin: 'https://evil.example.org' } }, 403],
    ['a page without an origin', { key: keys.operator, headers: { origin: 'null' } }, 403],
  ] as const)('H10: is refused to %s', async (_title, options, status) => {
    const client = new EventClient(api.url, {
      ...options,
      protocols: [...('protocols' in options ? options.protocols : [])],
    });
    await eventually(() => client.refused !== undefined);
    expect(client.refused).toMatchObject({ status, body: expect.stringContaining(`"status":${status}`) });
  });

  it.each([
    ['a subprotocol', { protocols: ['eyrie', `bearer.${keys.operator}`] }],
    ['a page that may', { key: keys.operator, headers: { origin: 'https://console.example.org' } }],
  ] as [string, ClientOptions][])('H10: is opened by %s', async (_title, options) => {
    const client = new EventClient(api.url, options);
    clients.push(client);
    await client.told('hello');
    expect(client.ws.protocol).toBe(options.protocols ? 'eyrie' : '');
    expect(JSON.stringify(api.lines)).not.toContain(keys.operator);
  });

  it('H10: is opened by a page of the server itself', async () => {
    await following(api, { headers: { origin: api.url } });
  });

  it('H10: is not opened by a query parameter, nor by a request that wants none', async () => {
    expect((await api.ask('GET', `/ws?access_token=${keys.operator}`, { key: null })).status).toBe(401);
    const { status, json } = await api.ask('GET', '/ws');
    expect([status, json]).toEqual([426, expect.objectContaining({ status: 426 })]);
  });

  it('H10: has nothing to do with other upgrades, which are answered as if they were none', async () => {
    const { status } = await api.ask('POST', '/api/v1/alerts', {
      body: { name: 'H2c' },
      headers: { 'x-request-id': 'spec-upgrade-1' },
    });
    expect(status).toBe(202);
    const answer = await rawRequest(
      api.url,
      'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    const elsewhere = await rawRequest(
      api.url,
      'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
    );
    expect(elsewhere).toMatch(/^HTTP\/1.1 200 /);
    const malformed = await rawRequest(
      api.url,
      `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${keys.operator}\r\n\r\n`,
    );
    expect(malformed).toMatch(/^HTTP\/1.1 4\d\d /);
  });

  it('H10: is one of so many of a caller; the next is refused with 429', async () => {
    const open = [await following(api), await following(api), await following(api)];
    const next = follow(api);
    await eventually(() => next.refused !== undefined);
    expect(next.refused?.status).toBe(429);
    await open[0]!.end();
    await eventually(async () => {
      const again = follow(api);
      await eventually(() => again.refused !== undefined || again.messages.length > 0);
      return again.messages.length > 0;
    });
  });

  it.each([
    ['what is too long', JSON.stringify({ type: 'subscribe', types: ['x'.repeat(2_000)] }), 1009],
    ['binary data', Buffer.from('{"type":"subscribe"}'), 1003],
    ['what is not JSON', '{"type":', 1007],
    ['JSON that is no message', '[[[]]]', 1008],
    ['another message', '{"type":"unsubscribe"}', 1008],
    ['an id that is none', '{"type":"subscribe","after":"1e3"}', 1008],
    ['a matcher that is none', '{"type":"subscribe","matchers":["a=~\\"(\\""]}', 1008],
  ])('H10: is closed after %s, with the right code', async (_title, frame, code) => {
    const client = follow(api, { subscribe: null });
    await eventually(() => client.ws.readyState === client.ws.OPEN);
    client.ws.send(frame);
    await eventually(() => client.closed !== undefined);
    expect(client.closed?.code).toBe(code);
    if (code === 1008) expect(client.messages).toEqual([{ type: 'error', detail: client.closed?.reason }]);
  });

  it('H10: is subscribed once', async () => {
    const client = await following(api);
    client.ws.send('{"type":"subscribe"}');
    await eventually(() => client.closed !== undefined);
    expect(client.closed).toEqual({ code: 1008, reason: 'subscribe: wanted once' });
  });

  it('H10: carries heartbeats with the id to resume from, and is dropped when nobody answers them', async () => {
    const silent = await following(api, { autoPong: false });
    const client = await following(api);
    await api.ask('POST', '/api/v1/alerts', { body: { name: 'Live' } });
    await eventually(() =>
      client.messages.some(({ type, id }) => type === 'heartbeat' && Number(id) === client.ids[0]),
    );
    await eventually(() => silent.closed !== undefined);
    expect(silent.closed?.code).toBe(1006);
    await sleep(300);
    expect(client.closed).toBeUndefined();
  });

  it('H10: ends with the key that opened it', async () => {
    const created = await api.ask('POST', '/api/v1/keys', { body: { name: 'console', scopes: ['read'] } });
    const { key, id } = created.json as { key: string; id: string };
    const client = await following(api, { key });
    expect((await api.ask('DELETE', `/api/v1/keys/${id}`)).status).toBeLessThan(300);
    await eventually(() => client.closed !== undefined);
    expect(client.closed).toEqual({ code: 1008, reason: 'the API key or access token has ended' });
  });

  it('C4: has its request and its caller in the log lines of its messages', async () => {
    const client = follow(api, { subscribe: null, headers: { 'x-request-id': 'spec-socket-01' } });
    await eventually(() => client.ws.readyState === client.ws.OPEN);
    client.ws.send('nonsense');
    const lines = () => api.lines.filter((line) => line['request_id'] === 'spec-socket-01');
    const dropped = await eventually(() => lines().find(({ message }) => message.includes('this is not JSON')));
    expect(dropped).toMatchObject({ user_id: 'key:OPERATOR_KEY' });
    expect(lines()).toContainEqual(
      expect.objectContaining({ message: 'Request completed', status_code: 101, route: '/ws' }),
    );
  });

  it('D3: is counted', async () => {
    await following(api);
    const metrics = async () => (await api.ask('GET', '/metrics')).text;
    await eventually(async () => /^websocket_connections_active 1$/m.test(await metrics()));
    expect(await metrics()).toMatch(/^websocket_messages_sent_total\{kind="control"\} \d+$/m);
    expect(await metrics()).toMatch(/^websocket_clients_dropped_total\{reason="dead"\} [1-9]\d*$/m);
  });
});

async function rawRequest(url: string, request: string): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}
