import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import { readOutcome } from '../check-outcome.js';
import { DiskIndicator } from './disk.indicator.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HttpIndicator } from './http.indicator.js';
import { MemoryIndicator } from './memory.indicator.js';

const terminus = new HealthIndicatorService();

describe('disk', () => {
  const disk = (used: Record<string, number>, limits = {}) =>
    new DiskIndicator(terminus, { diskPaths: Object.keys(used), diskDegraded: 90, diskUnhealthy: 95, ...limits }).check(
      async (path) => ({ usedPercent: used[path]! }),
    );

  it.each<[Record<string, number>, string, object]>([
    [{ '/': 89.94 }, 'healthy', {}],
    [{ '/': 90 }, 'degraded', {}],
    [{ '/': 10, '/data': 94.94 }, 'degraded', {}],
    [{ '/': 95, '/data': 1 }, 'unhealthy', {}],
    [{ '/': 99 }, 'degraded', { diskUnhealthy: 0 }],
    [{ '/': 94 }, 'healthy', { diskDegraded: 0 }],
  ])('F2: %j is %s %j', async (used, status, limits) => {
    expect(readOutcome(await disk(used, limits)).status).toBe(status);
  });

  it('F2: says which path is how full', async () => {
    expect(readOutcome(await disk({ '/': 12.34, '/data': 97 }))).toEqual({
      status: 'unhealthy',
      details: { '/': 12.3, '/data': 97 },
      error: '/data is 97 % full',
    });
  });

  it('F2: reads the real one, and fails for a path that is not there', async () => {
    const settings = { diskDegraded: 100, diskUnhealthy: 100 };
    const result = await new DiskIndicator(terminus, { ...settings, diskPaths: ['/'] }).check();
    expect(readOutcome(result).details).toEqual({ '/': expect.any(Number) });
    await expect(new DiskIndicator(terminus, { ...settings, diskPaths: ['/not/there'] }).check()).rejects.toThrow(
      'ENOENT',
    );
  });
});

describe('memory', () => {
  const memory = new MemoryIndicator(terminus, { memoryDegraded: 20, memoryUnhealthy: 10 });

  it.each([
    [20, 'cgroup', 'healthy'],
    [19.9, 'cgroup', 'degraded'],
    [10, 'cgroup', 'degraded'],
    [9.9, 'cgroup', 'unhealthy'],
    [0, 'cgroup', 'unhealthy'],
    [19, 'machine', 'degraded'],
    [1, 'machine', 'degraded'],
  ] as const)('F2: with %d %% available of the %s it is %s', (percent, source, status) => {
    const result = memory.check(() => ({ limitBytes: 1_000, availableBytes: percent * 10, source }));
    expect(readOutcome(result)).toMatchObject({ status, details: { availablePercent: percent, source } });
  });
});

describe('event loop', () => {
  it('F2: a blocked one is degraded, and healthy at the next look', async () => {
    const eventLoop = new EventLoopIndicator(terminus, { eventLoopDegradedMs: 40 });
    expect(readOutcome(eventLoop.check())).toEqual({ status: 'healthy', details: { meanMs: 0, p99Ms: 0 } });
    eventLoop.onApplicationBootstrap();
    const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await turns(60);
    const blockedUntil = performance.now() + 120;
    while (performance.now() < blockedUntil);
    await turns(60);
    const blocked = readOutcome(eventLoop.check());
    expect(blocked.status).toBe('degraded');
    expect(blocked.error).toMatch(/^the event loop is [\d.]+ ms late$/);
    expect(readOutcome(eventLoop.check()).status).toBe('healthy');
    eventLoop.onApplicationShutdown();
    await turns(60);
    expect(readOutcome(eventLoop.check()).details).toEqual({ meanMs: 0, p99Ms: 0 });
  });
});

describe('an HTTP dependency', () => {
  const http = new HttpIndicator(terminus);
  let server: Server;
  let url: string;
  let requests: string[];

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      if (request.url === '/hang') return;
      if (request.url === '/endless') {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
        response.once('close', () => clearInterval(timer));
        return;
      }
      response.writeHead(Number(request.url!.slice(1)), { location: '/200' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const check = (path: string, signal?: AbortSignal) => http.check({ name: 'it', url: `${url}${path}` }, signal);

  it.each([
    ['/200', 'healthy', 200],
    ['/204', 'healthy', 204],
    ['/302', 'healthy', 302],
    ['/404', 'unhealthy', 404],
    ['/503', 'unhealthy', 503],
  ])('F2: %s is %s', async (path, status, httpStatus) => {
    expect(readOutcome(await check(path))).toMatchObject({ status, details: { httpStatus } });
    expect(requests).toEqual([`GET ${path}`]); // a redirect is not followed
  });

  it('F2: does not read bodies, and gives up when told to', async () => {
    expect(readOutcome(await check('/endless')).status).toBe('healthy');
    const abort = new AbortController();
    const hung = check('/hang', abort.signal);
    while (!requests.includes('GET /hang')) await new Promise(setImmediate);
    abort.abort(new Error('no answer'));
    await expect(hung).rejects.toThrow('no answer');
  });

  it('F2: one that is gone fails', async () => {
    await expect(http.check({ name: 'it', url: 'http://127.0.0.1:1/' })).rejects.toThrow('fetch failed');
  });
});
