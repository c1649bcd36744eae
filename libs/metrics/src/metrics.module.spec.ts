import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadSettings } from 'eyrie/config';
import { register } from 'prom-client';
import {
  type Counter,
  counter,
  InjectMetric,
  MetricsModule,
  type MetricsOptions,
  metricsSettings,
  observeRequests,
} from './index.js';

const orders = counter({ name: 'orders_total', help: 'Orders.', labels: ['shop'] });

@Injectable()
class Shop {
  constructor(@InjectMetric('orders_total') readonly orders: Counter<'shop'>) {}
}

@Module({ imports: [MetricsModule.forFeature([orders])], providers: [Shop] })
class ShopModule {}

const open: NestFastifyApplication[] = [];
beforeEach(() => register.resetMetrics());
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function start(options: Partial<MetricsOptions> = {}, logger: LoggerService | false = false): Promise<string> {
  const defaults = { enabled: true, port: undefined, host: '127.0.0.1', service: 'shop', diskPaths: ['/', tmpdir()] };
  const info = { version: '1.2.3', environment: 'test', gitSha: 'abc123' };
  @Module({ imports: [MetricsModule.forRoot({ ...defaults, ...info, ...options }), ShopModule] })
  class App {}
  const adapter = new FastifyAdapter();
  const app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger, abortOnError: false });
  open.push(app);
  observeRequests(adapter.getInstance());
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

describe('MetricsModule', () => {
  it('D1, D3: serves what is registered at /metrics and /monitoring/metrics, typed and not to be cached', async () => {
    const url = await start();
    for (const path of ['/metrics', '/monitoring/metrics']) {
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.text()).toContain(
        `\napp_info{environment="test",git_sha="abc123",node_version="${process.version}",version="1.2.3"} 1\n`,
      );
    }
    const openmetrics = await fetch(`${url}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    expect(openmetrics.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const text = await openmetrics.text();
    expect(text).toContain('\nhttp_requests_total{endpoint="/metrics",method="GET",status_code="200"} 1\n');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it('D2, D4: the container and Node itself are sampled on scrape', async () => {
    const url = await start();
    const text = await (await fetch(`${url}/metrics`)).text();
    const value = (series: string) => Number(new RegExp(`^${series} (.*)$`, 'm').exec(text)?.[1]);
    expect(value('system_cpu_usage_percent')).toBeGreaterThanOrEqual(0);
    expect(value('system_memory_usage_bytes')).toBeGreaterThan(2 ** 20);
    expect(value('system_memory_limit_bytes')).toBeGreaterThan(value('system_memory_usage_bytes'));
    expect(value('system_disk_usage_bytes\\{device="[^"]+"\\}')).toBeGreaterThan(0);
    expect(value('system_disk_usage_percent\\{device="[^"]+"\\}')).toBeGreaterThan(0);
    expect(value('process_open_fds')).toBeGreaterThan(3);
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes']) {
      expect(value(name)).toBeGreaterThan(0);
    }
    expect(text).toContain('# TYPE nodejs_gc_duration_seconds histogram');
    expect(text).not.toContain('nodejs_active_handles');
  });

  it('D2: a disk that is not there is left out and counted; the others are served', async () => {
    const url = await start({ diskPaths: ['/', '/no/such/disk'] });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^system_disk_usage_percent\{device=/m);
    const again = await (await fetch(`${url}/metrics`)).text();
    expect(again).toMatch(/^metrics_collection_failures_total\{metric="system_disk_usage_bytes"\} [1-9]/m);
  });

  it('D6: apps inject their own metrics by name', async () => {
    const url = await start();
    const shop = open[0]?.get(Shop, { strict: false });
    shop?.orders.inc({ shop: 'north' }, 2);
    orders.inc({ shop: 'north' });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('\norders_total{shop="north"} 3\n');
  });

  it('D5: METRICS_PORT: a port of its own, and then none on the public one; it closes with the app', async () => {
    const logged: unknown[] = [];
    const write = (message: unknown) => void logged.push(message);
    const url = await start({ port: 0 }, { log: write, warn: write, error: write });
    const [line] = logged.filter((each) => String(each).startsWith('The metrics of shop are at '));
    const own = String(line).replace('The metrics of shop are at ', '');
    expect(own).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    for (const path of ['/metrics', '/monitoring/metrics']) expect((await fetch(url + path)).status).toBe(404);
    for (const path of ['/metrics?x=1', '/monitoring/metrics']) {
      const response = await fetch(new URL(path, own));
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await response.text()).toContain('\napp_info{');
    }
    expect((await fetch(own, { method: 'HEAD' })).status).toBe(200);
    const post = await fetch(own, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(new URL('/', own))).status).toBe(404);
    await open.pop()?.close();
    await expect(fetch(own)).rejects.toThrow();
  });

  it('D5: a METRICS_PORT that is taken ends start-up with a clear error', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow(
      `metrics cannot be served on 127.0.0.1:${port} (METRICS_HOST, METRICS_PORT): something else listens there`,
    );
    other.close();
  });

  it('D5: METRICS_ENABLED=false: 404, and nothing is collected', async () => {
    const url = await start({ enabled: false });
    for (const path of ['/metrics', '/monitoring/metrics']) expect((await fetch(url + path)).status).toBe(404);
    orders.inc({ shop: 'off' });
    const enabled = await start();
    const text = await (await fetch(`${enabled}/metrics`)).text();
    expect(text).not.toContain('shop="off"');
    expect(text).not.toContain('endpoint="unknown"');
  });
});

describe('metricsSettings', () => {
  it.each<[Record<string, string>, object]>([
    [{}, { enabled: true, port: undefined, host: '127.0.0.1' }],
    [
      { ENVIRONMENT: 'staging', METRICS_PORT: '9464' },
      { enabled: true, port: 9464, host: '0.0.0.0' },
    ],
    [
      { METRICS_ENABLED: 'no', METRICS_HOST: '::1' },
      { enabled: false, port: undefined, host: '::1' },
    ],
  ])('D5: %j', (env, settings) => {
    expect(loadSettings({ metrics: metricsSettings }, { env, cwd: tmpdir() }).metrics).toEqual(settings);
  });
});
