import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';

Logger.overrideLogger(false);

let hub: TestHub;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  hub = await testHub({
    config: `
route: { receiver: team, group_by: ['...'], group_wait: 0s, routes: [{ receiver: free, matchers: [free="yes"] }] }
receivers:
  - { name: team, webhook_configs: [{ url: '${receiver.url}/team' }] }
  - { name: free, webhook_configs: [{ url: '${receiver.url}/free' }] }`,
    notify: { rateLimits: { general: { intervalMs: 500, burst: 3 }, receivers: { free: undefined } } },
  });
});
afterEach(async () => {
  receiver.reset();
  await hub.clear();
  await hub.query(`DELETE FROM receiver_health`);
});
afterAll(async () => {
  await hub.close();
  await receiver.close();
});

async function fire(count: number, labels: Record<string, string> = {}): Promise<void> {
  await hub.fire(...Array.from({ length: count }, (_, index) => ({ alertname: `A${index}`, ...labels })));
  await hub.flush();
  await hub.deliver();
}

describe('H7: the rate limit of an integration', () => {
  it('lets a burst out, delays the rest to its pace, and drops nothing', async () => {
    await fire(10);
    const pace = [receiver.received.length];
    for (let second = 0; second < 4; second++) {
      hub.clock.advance(1_000);
      await hub.deliver();
      pace.push(receiver.received.length);
    }
    expect(pace).toEqual([3, 5, 7, 9, 10]);
  });

  it('keeps to the pace whenever more comes', async () => {
    await fire(5);
    hub.clock.advance(500);
    await hub.fire({ alertname: 'Late' });
    await hub.flush();
    await hub.deliver();
    expect(receiver.received).toHaveLength(4);
    hub.clock.advance(1_000);
    await hub.deliver();
    expect(receiver.received).toHaveLength(6);
  });

  it('is the own one of a receiver that has one', async () => {
    await fire(10, { free: 'yes' });
    expect(receiver.received.filter(({ path }) => path === '/free')).toHaveLength(10);
  });
});
