import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/harness/eventually.js';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';

Logger.overrideLogger(false);

const HANGING = 2_000;
const HEALTHY = 100;

let hub: TestHub;
let hanging: Server;
let healthy: Server;
let ticking: NodeJS.Timeout;
/** When the healthy receiver was told of which alert. */
const told = new Map<string, number>();

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  hanging = createServer(() => undefined);
  healthy = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: { labels: Record<string, string> }[] };
      for (const { labels } of alerts) told.set(labels['alertname']!, performance.now());
      response.end();
    });
  });
  await Promise.all([hanging, healthy].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  hub = await testHub({
    running: true,
    config: `
route:
  receiver: healthy
  group_by: ['...']
  group_wait: 0s
  routes: [{ receiver: hanging, matchers: [kind="hanging"] }]
receivers:
  - { name: hanging, webhook_configs: [{ url: '${urlOf(hanging)}' }] }
  - { name: healthy, webhook_configs: [{ url: '${urlOf(healthy)}' }] }`,
    notify: { timeoutMs: 3_000 },
  });
  // The queue goes by the database's clock, and so must the hub here.
  const tick = () => hub.clock.advance(Date.now() - hub.clock.now());
  tick();
  ticking = setInterval(tick, 5);
});
afterAll(async () => {
  clearInterval(ticking);
  hanging.closeAllConnections();
  await hub.close();
  for (const server of [hanging, healthy]) server.close();
});

describe('H7: a receiver that hangs, with thousands of notifications queued', () => {
  it('keeps the others waiting for hardly longer than usual', async () => {
    await hub.fire(...Array.from({ length: HANGING }, (_, index) => ({ alertname: `H${index}`, kind: 'hanging' })));
    await eventually(async () => {
      const [row] = await hub.query<{ made: number }>(`SELECT count(*)::int AS made FROM notifications`);
      return row!.made === HANGING;
    }, 20_000);
    const fired = new Map<string, number>();
    for (let index = 0; index < HEALTHY; index++) {
      fired.set(`A${index}`, performance.now());
      await hub.fire({ alertname: `A${index}` });
      await sleep(40);
    }
    await eventually(() => told.size === HEALTHY, 10_000);
    const latencies = [...fired].map(([name, at]) => told.get(name)! - at).sort((one, other) => one - other);
    const [median, p99] = [0.5, 0.99].map((share) => latencies[Math.floor(share * HEALTHY)]!);
    process.stderr.write(`healthy: median ${median!.toFixed(0)} ms, p99 ${p99!.toFixed(0)} ms\n`);
    expect(median).toBeLessThan(150);
    expect(p99).toBeLessThan(1_000);
  }, 60_000);
});
