import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from 'eyrie/database';
import { Lifecycle } from 'eyrie/lifecycle';
import { keys, testApi, type TestApi } from '../harness/api.js';
import { eventually } from '../harness/eventually.js';

/** The way to PostgreSQL, which can be cut: then nobody is connected any more, and nobody gets in. */
class Wire {
  private readonly sockets = new Set<Socket>();
  private server!: Server;
  private port = 0;

  async lay(url: string): Promise<string> {
    const { port, hostname } = new URL(url);
    this.server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => (this.sockets.delete(socket), other.destroy()));
        socket.pipe(other);
      }
    });
    await this.mend();
    this.port = (this.server.address() as AddressInfo).port;
    const through = new URL(url);
    through.port = String(this.port);
    return through.href;
  }

  async mend(): Promise<void> {
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
  }

  async cut(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }
}

const wire = new Wire();
let api: TestApi;
beforeAll(async () => {
  api = await testApi({ worker: true, via: (url) => wire.lay(url), env: { DATABASE_CONNECT_TIMEOUT: '1s' } });
});
afterAll(async () => {
  await api.close();
  await wire.cut();
});

const health = async (url: string, path: string) => {
  const response = await fetch(`${url}/health/${path}`);
  return [response.status, ((await response.json()) as { status: string }).status];
};

const readyWithin = async (url: string, status: number) => {
  await eventually(async () => (await health(url, 'ready'))[0] === status);
};

/** A new connection to listen on makes the api forget whose keys it knows: until that is behind it. */
async function untilListening(): Promise<void> {
  await api.app.get(Database).listen('outage', () => undefined);
}

describe('while PostgreSQL is away', () => {
  it('F1: api and worker are alive but not ready, and ready again when it is back', async () => {
    const both = [api.url, await api.worker!.getUrl()];
    for (const url of both) expect(await health(url, 'ready')).toEqual([200, 'healthy']);
    await wire.cut();
    for (const url of both) {
      await readyWithin(url, 503);
      expect(await health(url, 'live')).toEqual([200, 'healthy']);
      expect(await health(url, 'startup')).toEqual([200, 'started']);
    }
    await wire.mend();
    for (const url of both) await readyWithin(url, 200);
  });

  it('F5: health tells names and states, and nothing of the address', async () => {
    await wire.cut();
    await readyWithin(api.url, 503);
    const response = await fetch(`${api.url}/health/ready`);
    const report = (await response.json()) as { status: string; checks: Record<string, object> };
    expect(report).toMatchObject({ status: 'unhealthy', checks: { database: { status: 'unhealthy' } } });
    for (const check of Object.values(report.checks)) expect(Object.keys(check)).toEqual(['status']);
    await wire.mend();
    await readyWithin(api.url, 200);
  });

  it('H1: nothing is accepted, and everything is answered 503 with Retry-After; what comes after is stored', async () => {
    const post = (name: string) => api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: { name } });
    await untilListening();
    expect((await post('Before')).status).toBe(202);
    expect((await api.ask('GET', '/api/v1/alerts')).status).toBe(200);
    await wire.cut();
    const answers = await Promise.all([
      post('During'),
      api.ask('POST', '/api/v2/alerts', { key: keys.ingest, body: [{ labels: { alertname: 'During' } }] }),
      ...['/api/v1/alerts', '/api/v1/notifications', '/api/v2/alerts'].map((path) => api.ask('GET', path)),
      api.ask('POST', '/api/v1/notifications/replay'),
      api.ask('GET', '/api/v1/alerts', { key: 'a-key-that-nobody-has-seen' }),
    ]);
    for (const { status, headers, text } of answers) {
      expect([status, headers.get('retry-after'), text]).toEqual([503, '1', text]);
      expect(text).not.toMatch(/ECONN|127\.0\.0\.1|postgres/i);
    }
    expect(answers[1].json).toMatch(/cannot be reached/);
    await wire.mend();
    await eventually(async () => (await post('After')).status === 202);
    const { json } = await api.ask('GET', '/api/v1/alerts');
    const names = (json as { alerts: { name: string }[] }).alerts.map(({ name }) => name);
    expect(names).toEqual(['After', 'Before']);
  });

  it('H2: what is wrong is told all the same', async () => {
    await untilListening();
    await api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: { name: 'Known' } });
    await wire.cut();
    expect((await api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: { nam: 'x' } })).status).toBe(400);
    expect((await api.ask('POST', '/api/v1/alerts', { key: keys.ingest, body: '{' })).status).toBe(400);
    await wire.mend();
    await readyWithin(api.url, 200);
  });
});

describe('the end', () => {
  it('G1: readiness of the api is 503 at once, while requests are still answered', async () => {
    api.app.get(Lifecycle).drain();
    expect(await health(api.url, 'ready')).toEqual([503, 'draining']);
    expect(await health(api.url, 'live')).toEqual([200, 'healthy']);
    const { status, headers } = await api.ask('POST', '/api/v1/alerts', { body: { name: 'Last' } });
    expect([status, headers.get('connection')]).toEqual([202, 'close']);
  });

  it('G1: the worker ends within its time although PostgreSQL is away, and with it a reload that waits for it', async () => {
    await wire.cut();
    await readyWithin(await api.worker!.getUrl(), 503);
    const reload = api.worker!.get(Lifecycle).reload();
    const began = performance.now();
    await api.worker!.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await Promise.race([reload, Promise.resolve('goes on')])).toBe(false);
    await wire.mend();
  });
});
