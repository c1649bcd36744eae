import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeepAliveLoad } from '../fixtures/cluster-load.js';
import { ClusterFixture, killFixtures } from '../fixtures/cluster-process.js';

let url: string;

beforeAll(async () => {
  const fixture = new ClusterFixture({ OVERLOAD_DELAY: '200ms', LOG_LEVEL: 'info' });
  url = (await fixture.logged('listening on ')).replace('listening on ', '');
}, 60_000);
afterAll(killFixtures);

describe('under far more load than a process can serve', () => {
  it('B3: every request is answered soon, with 200 or 503 and Retry-After; probes and scrapes always with 200', async () => {
    // Each request keeps the event loop for 5 ms, so 200 in a second are all it can. 300 clients, each with another
    // request as soon as one is answered, would want ten times that if they were served within 150 ms.
    const load = new KeepAliveLoad({
      url: `${url}/busy/5`,
      connections: 300,
      accepts: ({ statusCode, headers }) => statusCode === 503 && headers['retry-after'] === '1',
    });
    const probes: number[] = [];
    for (let probe = 0; probe < 10; probe += 1) {
      const { status } = await fetch(`${url}/${probe % 2 ? 'metrics' : 'health/live'}`);
      probes.push(status);
      await sleep(150);
    }
    await load.stop();

    expect(load.failures).toEqual([]);
    expect(load.statuses[200]).toBeGreaterThan(20); // of those that came first, and of later ones
    expect(load.statuses[503]).toBeGreaterThan(load.statuses[200]!);
    expect(load.slowestMs).toBeLessThan(20_000); // on a machine that has other things to do as well
    expect(new Set(probes)).toEqual(new Set([200]));

    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`\nserver_requests_shed_total ${load.statuses[503]}\n`);
    expect(metrics).toMatch(/\nserver_event_loop_delay_seconds [\d.e-]+\n/);
    await sleep(300);
    expect((await fetch(`${url}/busy/5`)).status).toBe(200);
  }, 60_000);
});
