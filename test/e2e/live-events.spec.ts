import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { Client } from 'pg';
import { type ClientOptions, EventClient } from '../../libs/realtime/fixtures/client.js';
import { keys, testApi, type TestApi, type TestApiOptions } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../harness/redis.js';

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

let raised = 0;
/** Raises this many new alerts; each is one event. */
async function raise(api: TestApi, count: number, labels: Record<string, string> = {}): Promise<void> {
  const body = Array.from({ length: count }, () => ({ name: 'Live', labels: { number: String(++raised), ...labels } }));
  expect((await api.ask('POST', '/api/v1/alerts', { body })).status).toBe(202);
}

const storedIds = async (api: TestApi, after = '0') =>
  (
    await api.app.get(Database).query<{ id: string }>('SELECT id FROM alert_events WHERE id > $1 ORDER BY id', [after])
  ).map(({ id }) => Number(id));

/** A second api on the database of another. */
const beside = (api: TestApi, options: TestApiOptions = {}) => testApi({ ...options, via: () => api.databaseUrl });

/** What its clients see when a process is killed: no word, and nobody there. */
async function kill(api: TestApi, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await api.close();
}

function socketsOf(api: TestApi): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  (api.app.getHttpServer() as { on(event: 'connection', on: (socket: Socket) => void): void }).on(
    'connection',
    (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))),
  );
  return sockets;
}

describe('live events', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.close());

  it('H10: tell what happens to an alert, and what a console shows of it', async () => {
    const client = await following(api);
    await api.ask('POST', '/api/v1/alerts', {
      body: { name: 'DiskFull', severity: 'critical', labels: { host: 'db-1' } },
    });
    await eventually(() => client.events.length === 1);
    expect(client.events[0]).toEqual({
      type: 'alert.fired',
      id: expect.stringMatching(/^\d+$/),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        alertId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        name: 'DiskFull',
        severity: 'critical',
        state: 'firing',
        labels: { alertname: 'DiskFull', severity: 'critical', host: 'db-1' },
        actor: 'key:OPERATOR_KEY',
        details: expect.anything(),
      },
    });
    const { text } = await api.ask('GET', `/api/v1/alerts/${String(client.events[0]!.data!['alertId'])}`);
    expect(text).toContain(String(client.events[0]!.data!['fingerprint']));
  });

  it('H10: begin now for a client that asks for nothing', async () => {
    await raise(api, 1);
    const client = follow(api, { subscribe: null });
    await eventually(() => client.ws.readyState === client.ws.OPEN);
    await client.told('hello', 3_000);
    await raise(api, 2);
    await eventually(() => client.events.length === 2);
    expect(client.ids).toEqual((await storedIds(api)).slice(-2));
  });

  it('H10: are only those that a client wants', async () => {
    const client = await following(api, {
      subscribe: { types: ['alert.fired'], matchers: ['team="db"', 'number!="x"'] },
    });
    await raise(api, 1, { team: 'web' });
    await raise(api, 1, { team: 'db' });
    await raise(api, 1, { team: 'db', number: 'x' });
    const end = { name: 'Live', labels: { number: '1' }, endsAt: new Date().toISOString() };
    await api.ask('POST', '/api/v1/alerts', { body: end });
    await raise(api, 1, { team: 'db' });
    await eventually(() => client.events.length === 2);
    expect(client.events.map(({ data }) => (data!['labels'] as { team: string }).team)).toEqual(['db', 'db']);
  });

  it('H10: resume after an id without a gap and without a repeat', async () => {
    const [, first] = await Promise.all([raise(api, 30), following(api)]);
    await raise(api, 20);
    await eventually(() => first.events.length >= 20);
    const after = String(first.ids[7]);
    await first.end();
    await raise(api, 25);
    const second = await following(api, { subscribe: { after } });
    await raise(api, 5);
    const wanted = await storedIds(api, after);
    await eventually(() => second.events.length === wanted.length);
    expect(second.ids).toEqual(wanted);
  });

  it('H10: of before what is kept are not promised: such a client loads everything anew', async () => {
    await raise(api, 1);
    const [last] = (await storedIds(api)).slice(-1);
    for (const after of ['999999999', String(last! + 7)]) {
      const client = follow(api, { subscribe: { after } });
      expect(await client.told('reset')).toMatchObject({ id: String(last) });
      await client.end();
    }
    await api.app.get(Database).query(`UPDATE alert_events SET at = now() - interval '91 days' WHERE id = $1`, [last]);
    await raise(api, 1);
    const client = follow(api, { subscribe: { after: String(last) } });
    await client.told('reset');
    expect(client.events).toEqual([]);
  });

  it('H10: come in the order of their ids, though transactions commit in another', async () => {
    const client = await following(api);
    const early = new Client({ connectionString: api.databaseUrl });
    const late = new Client({ connectionString: api.databaseUrl });
    await Promise.all([early.connect(), late.connect()]);
    try {
      const insert = `INSERT INTO alert_events (alert_id, type, at, actor) VALUES (gen_random_uuid(), 'changed', now(), 'spec') RETURNING id`;
      await early.query('BEGIN');
      const first = Number((await early.query<{ id: string }>(insert)).rows[0]!.id);
      const second = Number((await late.query<{ id: string }>(insert)).rows[0]!.id);
      expect(second).toBe(first + 1);
      await sleep(400);
      expect(client.events).toEqual([]);
      const newcomer = follow(api, { subscribe: { after: String(first - 1) } });
      await early.query('COMMIT');
      await eventually(() => client.events.length === 2 && newcomer.events.length === 2);
      expect([client.ids, newcomer.ids]).toEqual([
        [first, second],
        [first, second],
      ]);

      await early.query('BEGIN');
      await early.query(insert); // an id that nobody will ever see
      const third = Number((await late.query<{ id: string }>(insert)).rows[0]!.id);
      await early.query('ROLLBACK');
      await eventually(() => client.ids.includes(third));
      expect(client.ids).toEqual([first, second, third]);
    } finally {
      await Promise.all([early.end(), late.end()]);
    }
  });
});

describe('a client that does not read', () => {
  it('H10: is told that it is too slow and closed, and may resume; the others notice nothing', async () => {
    const api = await testApi({ env: { WEBSOCKET_BACKLOG: '500', WEBSOCKET_BACKLOG_SIZE: '256KiB' } });
    try {
      const [slow, quick] = [await following(api), await following(api)];
      const isDropped = async () => {
        const { text } = await api.ask('GET', '/metrics');
        return text.includes('websocket_clients_dropped_total{reason="slow"} 1');
      };
      slow.ws.pause();
      for (let batch = 0; batch < 60 && !(await isDropped()); batch++)
        await raise(api, 100, { filler: 'x'.repeat(4_000) });
      expect(await isDropped()).toBe(true);
      slow.ws.resume();
      await eventually(() => slow.closed !== undefined);
      expect(slow.closed).toEqual({ code: 1013, reason: 'too far behind' });
      expect(slow.messages.at(-1)).toEqual({ type: 'slow', id: String(slow.ids.at(-1)) });
      const again = await following(api, { subscribe: { after: slow.lastId } });
      const wanted = await storedIds(api);
      await eventually(() => slow.ids.length + again.ids.length === wanted.length);
      await eventually(() => quick.ids.length === wanted.length);
      expect([...slow.ids, ...again.ids]).toEqual(wanted);
      expect(quick.ids).toEqual(wanted);
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.end()));
      await api.close();
    }
  }, 40_000);
});
describe('a server that stops', () => {
  it('G2: closes WebSockets with 1012 and says when to come again; a client that does misses nothing', async () => {
    const api = await testApi();
    const other = await beside(api);
    try {
      const all = await Promise.all(Array.from({ length: 20 }, () => following(api)));
      await raise(api, 10);
      await api.app.close();
      for (const client of all) {
        expect(client.closed?.code).toBe(1012);
        const { id, ...restart } = client.messages.at(-1)!;
        expect(restart).toEqual({ type: 'restart', retryInMs: expect.any(Number) });
        expect(restart['retryInMs']).toBeGreaterThanOrEqual(100);
        expect(restart['retryInMs']).toBeLessThanOrEqual(1_000);
        expect(Number(id)).toBe(client.ids.at(-1) ?? Number(client.messages[0]!.id));
      }
      await raise(other, 5);
      const [first] = all;
      const again = await following(other, { subscribe: { after: first!.lastId } });
      const wanted = await storedIds(other);
      await eventually(() => first!.ids.length + again.ids.length === wanted.length);
      expect([...first!.ids, ...again.ids]).toEqual(wanted);
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.end()));
      await other.close();
      await api.close();
    }
  });

  it('G2: spreads that over its drain delay, and lets nobody new in', async () => {
    const api = await testApi({ env: { DRAIN_DELAY: '1s' } });
    try {
      const all = await Promise.all(Array.from({ length: 30 }, () => following(api)));
      const closed = () => all.filter((client) => client.closed !== undefined).length;
      api.app.get(Lifecycle).drain();
      const late = follow(api);
      await eventually(() => late.refused !== undefined);
      expect(late.refused?.status).toBe(503);
      await eventually(() => closed() > 0);
      expect(closed()).toBeLessThan(25);
      await eventually(() => closed() === 30);
      expect(new Set(all.map((client) => client.closed?.code))).toEqual(new Set([1012]));
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.end()));
      await api.close();
    }
  });
});

describe('500 clients of two servers', () => {
  /** Who comes again by itself wherever there is a server, from the last id that it knows. */
  class Follower {
    readonly ids: number[] = [];
    client?: EventClient;
    private isEnded = false;

    constructor(private readonly servers: () => TestApi[]) {}

    async start(): Promise<void> {
      await this.connect(undefined);
      await this.client!.told('hello', 10_000);
    }

    end(): Promise<void> {
      this.isEnded = true;
      return this.client!.end();
    }

    private async connect(after: string | undefined): Promise<void> {
      if (this.isEnded) return;
      const servers = this.servers();
      const server = servers[Math.floor(Math.random() * servers.length)]!;
      const client = new EventClient(server.url, { key: keys.operator, subscribe: after ? { after } : {} });
      this.client = client;
      client.ws.on('message', (data: Buffer) => {
        const { type, id } = JSON.parse(data.toString()) as { type: string; id: string };
        if (type === 'reset') throw new Error('nothing is so old here');
        if (type.includes('.')) this.ids.push(Number(id));
      });
      client.ws.once('close', () => {
        setTimeout(() => void this.connect(client.lastId ?? after), Math.random() * 200);
      });
    }
  }

  it.each([
    ['with Redis', true],
    ['without Redis', false],
  ])(
    'H10: are all told every event, in one order, %s, though one server is killed',
    async (_title, hasRedis) => {
      const redis = hasRedis ? await testRedis() : undefined;
      const env = redis ? { REDIS_URL: redis.url, CACHE_PREFIX: redis.prefix } : undefined;
      const first = await testApi({ env });
      const second = await beside(first, { env });
      let servers = [first, second];
      const sockets = socketsOf(second);
      const followers = Array.from({ length: 500 }, () => new Follower(() => servers));
      try {
        await Promise.all(followers.map((follower) => follower.start()));
        let isOver = false;
        const writing = (async () => {
          for (let batch = 0; batch < 20; batch++) {
            await Promise.all([raise(first, 5), raise(first, 1), raise(first, 4)]);
            await sleep(50);
          }
          isOver = true;
        })();
        await sleep(400);
        expect(isOver).toBe(false);
        servers = [first];
        await kill(second, sockets);
        await writing;
        const wanted = await storedIds(first);
        expect(wanted.length).toBe(200);
        await eventually(() => followers.every(({ ids }) => ids.length >= wanted.length), 10_000);
        await sleep(100);
        for (const { ids } of followers) expect(ids).toEqual(wanted);
      } finally {
        await Promise.all(followers.map((follower) => follower.end()));
        await first.close();
      }
    },
    REDIS_LIMIT_MS,
  );

  it(
    'H10: hear of what another server has stored within milliseconds with Redis, and a little later without',
    async () => {
      const redis = await testRedis();
      const delays: Record<string, number[]> = {};
      const settings: Record<string, string>[] = [{ REDIS_URL: redis.url, CACHE_PREFIX: redis.prefix }, {}];
      for (const env of settings) {
        const writer = await testApi({ env });
        const reader = await beside(writer, { env });
        try {
          const client = await following(reader);
          await sleep(100);
          const seen: number[] = (delays[env['REDIS_URL'] ? 'with' : 'without'] = []);
          for (let count = 1; count <= 10; count++) {
            await raise(writer, 1);
            const stored = performance.now();
            await eventually(() => client.events.length === count);
            seen.push(performance.now() - stored);
            await sleep(150);
          }
        } finally {
          await Promise.all(clients.splice(0).map((client) => client.end()));
          await reader.close();
          await writer.close();
        }
      }
      const median = (name: string) => delays[name]!.sort((one, other) => one - other)[5]!;
      expect(median('with')).toBeLessThan(75);
      expect(median('without')).toBeLessThan(1_500);
    },
    REDIS_LIMIT_MS,
  );
});
