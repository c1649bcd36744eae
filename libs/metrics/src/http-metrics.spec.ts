import { once } from 'node:events';
import { request as httpRequest, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { register } from 'prom-client';
import { setCollecting } from './collecting.js';
import { render } from './exposition.js';
import { readFamilies } from './family.js';
import { observeRequests } from './index.js';

let fastify: FastifyInstance;
let release: () => void;

beforeEach(async () => {
  register.resetMetrics();
  fastify = Fastify({ frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).send() });
  observeRequests(fastify, { quiet: (route) => route.startsWith('/health') });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.includes('shed')) void reply.code(503).send();
    else done();
  });
  const held = new Promise<void>((resolve) => (release = resolve));
  fastify.get('/items/:id', () => 'item');
  fastify.get('/slow', async () => {
    await held;
    return 'slow';
  });
  fastify.get('/fails', () => {
    throw new Error('planted');
  });
  fastify.get('/health/live', () => 'alive');
  // As WebSocket plugins do it: the response is left behind, the socket taken over.
  fastify.get('/ws', (request, reply) => {
    reply.hijack();
    const { socket } = request.raw;
    socket.on('end', () => socket.end()).resume();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  fastify.server.on('upgrade', (request) => fastify.routing(request, new ServerResponse(request)));
  await fastify.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  release();
  setCollecting(true);
  await fastify.close();
});

const port = () => (fastify.server.address() as AddressInfo).port;
const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port()}${path}`, { method });

/** What is served of these metrics, without the buckets. */
async function lines(name = 'http_requests'): Promise<string[]> {
  const text = await render(await readFamilies(), 'prometheus');
  return text.split('\n').filter((line) => line.startsWith(name) && !line.includes('_bucket'));
}

/** Once the last responses have closed. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      return await check();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('observeRequests', () => {
  it('D1: requests are counted and timed by the template of their route', async () => {
    await Promise.all([get('/items/1'), get('/items/2'), get('/items/3', 'HEAD'), get('/fails'), get('/items/shed')]);
    await eventually(async () =>
      expect((await lines()).toSorted()).toEqual([
        'http_requests_active 0',
        'http_requests_total{endpoint="/fails",method="GET",status_code="500"} 1',
        'http_requests_total{endpoint="/items/:id",method="GET",status_code="200"} 2',
        'http_requests_total{endpoint="/items/:id",method="GET",status_code="503"} 1',
        'http_requests_total{endpoint="/items/:id",method="HEAD",status_code="200"} 1',
      ]),
    );
    expect(await lines('http_request_duration_seconds_count')).toContain(
      'http_request_duration_seconds_count{endpoint="/items/:id",method="GET"} 3',
    );
    const family = (await readFamilies()).find(({ name }) => name === 'http_request_duration_seconds');
    const bounds = family?.samples.map(([, labels]) => /endpoint="\/fails".*le="(.*)"/.exec(labels)?.[1]);
    expect(bounds?.filter(Boolean).join(' ')).toBe('0.001 0.0025 0.005 0.01 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf');
  });

  it('D1: 10,000 random paths and methods add no series', async () => {
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'TRACE', 'MKCOL', 'SEARCH', 'LOCK'];
    const socket = connect(port(), '127.0.0.1');
    const pending = Array.from({ length: 10_000 }, (_, index) => {
      const path = index % 7 === 0 ? `/%zz${index}` : `/${index.toString(36)}/${Math.random()}?${index}`;
      return `${methods[index % methods.length]} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
    });
    let answered = 0;
    socket.on('data', (chunk: Buffer) => (answered += chunk.toString().split('HTTP/1.1 ').length - 1));
    for (let at = 0; at < pending.length; at += 500) {
      socket.write(pending.slice(at, at + 500).join(''));
      await eventually(async () => expect(answered).toBeGreaterThanOrEqual(Math.min(at + 490, 10_000)));
    }
    await eventually(async () => {
      const counted = (await lines('http_requests_total')).map((line) => Number(line.split(' ').at(-1)));
      expect(counted.reduce((sum, value) => sum + value, 0)).toBe(10_000);
      expect(counted.length).toBeLessThanOrEqual(10);
    });
    socket.destroy();
    const series = await lines();
    expect(series.every((line) => line.includes('active') || line.includes('endpoint="unknown"'))).toBe(true);
    expect(series).toContainEqual(expect.stringContaining('method="unknown"'));
    expect(series).toContainEqual(expect.stringContaining('status_code="400"')); // those that no hook sees
  }, 30_000);

  it('D1: a client that goes away is a 499, counted down once', async () => {
    const request = httpRequest({ port: port(), path: '/slow', host: '127.0.0.1' });
    request.on('error', () => undefined).end();
    await eventually(async () => expect(await lines('http_requests_active')).toEqual(['http_requests_active 1']));
    request.destroy();
    const gone = ['http_requests_active 0', 'http_requests_total{endpoint="/slow",method="GET",status_code="499"} 1'];
    await eventually(async () => expect((await lines()).toSorted()).toEqual(gone));
    release();
    await get('/health/live');
    expect((await lines()).toSorted()).toEqual(gone);
  });

  it('D1: a connection that is upgraded is counted down once, when it ends, and its length is no duration', async () => {
    const request = httpRequest({ port: port(), path: '/ws', headers: { connection: 'upgrade', upgrade: 'x' } });
    request.end();
    const [, socket] = (await once(request, 'upgrade')) as [unknown, ReturnType<typeof connect>];
    expect(await lines()).toEqual(['http_requests_active 1']);
    socket.destroy();
    await eventually(async () =>
      expect((await lines()).toSorted()).toEqual([
        'http_requests_active 0',
        'http_requests_total{endpoint="/ws",method="GET",status_code="101"} 1',
      ]),
    );
    expect(await lines('http_request_duration_seconds_count')).toEqual([]);
  });

  it('D1: quiet routes are not counted', async () => {
    await Promise.all([get('/health/live'), get('/items/1')]);
    await eventually(async () =>
      expect((await lines()).toSorted()).toEqual([
        'http_requests_active 0',
        'http_requests_total{endpoint="/items/:id",method="GET",status_code="200"} 1',
      ]),
    );
  });

  it('D1: injected requests, which pass no server, are counted down too', async () => {
    await fastify.inject('/items/1');
    await fastify.inject({ url: '/health/live', headers: { upgrade: 'h2c' } });
    await eventually(async () => {
      expect(await lines('http_requests_active')).toEqual(['http_requests_active 0']);
      expect(await lines('http_requests_total')).toHaveLength(1);
    });
  });

  it('D5: METRICS_ENABLED=false: nothing is counted', async () => {
    setCollecting(false);
    await get('/items/1');
    await get('/nowhere');
    setCollecting(true);
    expect(await lines()).toEqual(['http_requests_active 0']);
  });
});
