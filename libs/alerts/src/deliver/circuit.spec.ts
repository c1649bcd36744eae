import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { NotificationsReader } from '../query/notifications-reader.js';
import { ReceiversReader } from '../receivers/receivers-reader.js';
import { DeliverNotificationHandler } from './deliver-notification.handler.js';

Logger.overrideLogger(false);

const SECOND = 1_000;
const HOUR = 3_600_000;
let hub: TestHub;
let beside: TestHub;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  const config = `
route: { receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1m }
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]`;
  const notify = {
    ...{ firstMs: SECOND, maxMs: SECOND, giveUpAfterMs: HOUR },
    ...{ breakerFailures: 3, breakerPauseMs: 10 * SECOND, breakerPauseMaxMs: 30 * SECOND },
  };
  hub = await testHub({ config, notify });
  beside = await testHub({ config, notify, beside: hub });
});
beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(async () => {
  jest.restoreAllMocks();
  receiver.reset();
  await hub.clear();
  await hub.query(`DELETE FROM receiver_health`);
});
afterAll(async () => {
  await beside.close();
  await hub.close();
  await receiver.close();
});

const names = (count: number) => Array.from({ length: count }, (_, index) => ({ alertname: `A${index}` }));
const states = async () =>
  (await hub.get(NotificationsReader).page({ limit: 100 })).notifications.map(({ state }) => state).sort();
const health = async () => (await hub.get(ReceiversReader).list())[0]!.integrations[0]!;

/** Three faults in a row. */
async function breakIt(): Promise<void> {
  receiver.status = 503;
  await hub.fire(...names(3));
  await hub.flush();
  await hub.deliver();
}

describe('H7: the circuit of an integration', () => {
  it('opens after so many faults in a row: what follows is not attempted, and not counted as an attempt', async () => {
    await breakIt();
    const asked = receiver.received.length;
    expect(await health()).toMatchObject({
      circuit: 'open',
      openUntil: '2020-03-01T12:00:11.250Z', // an eighth of jitter on top
      lastError: expect.stringMatching(/^webhook at 127\.0\.0\.1:\d+ answered 503$/),
      lastSuccessAt: null,
    });
    await hub.fire({ alertname: 'Later' });
    await hub.flush();
    hub.clock.advance(11 * SECOND);
    await hub.deliver();
    expect(receiver.received).toHaveLength(asked);
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 1 });
    expect(notifications).toEqual([expect.objectContaining({ state: 'pending', attempts: 0 })]);
  });

  it('is open for every worker, and lets one notification try when the pause is over', async () => {
    await breakIt();
    const asked = receiver.received.length;
    hub.clock.advance(11_250);
    expect((await health()).circuit).toBe('half-open');
    await hub.query(`DELETE FROM graphile_worker._private_jobs`);
    const ids = (await hub.get(NotificationsReader).page({ limit: 10 })).notifications.map(({ id }) => id);
    const { signal } = new AbortController();
    const info = { id: '1', attempt: 1, signal };
    await Promise.all(
      [hub, beside].flatMap((each) => ids.map((id) => each.get(DeliverNotificationHandler).handle({ id }, info))),
    );
    expect(receiver.received).toHaveLength(asked + 1);
    expect((await health()).circuit).toBe('open');
  });

  it('stays open for twice as long after each failed try, up to a bound', async () => {
    await breakIt();
    const pauses: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      const asked = receiver.received.length;
      let waited = 0;
      for (; receiver.received.length === asked; waited += 100) {
        hub.clock.advance(100);
        await hub.deliver();
      }
      pauses.push(waited);
    }
    const expected = [11_250, 22_500, 33_750];
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(expected[index]! - 100);
      expect(pause).toBeLessThan(expected[index]! + 1_500);
    }
  });

  it('closes with the first success, and all that waited goes out', async () => {
    await breakIt();
    receiver.status = 200;
    for (let second = 0; second < 15; second++) {
      hub.clock.advance(SECOND);
      await hub.deliver();
    }
    expect(await states()).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await health()).toMatchObject({ circuit: 'closed', openUntil: null, consecutiveFailures: 0 });
    expect((await health()).lastSuccessAt).not.toBeNull();
  });

  it('counts faults in a row only, and no refusals: who refuses is there', async () => {
    receiver.replies.push(...[503, 503, 400, 503, 503, 200].map((status) => ({ status })));
    for (const alertname of ['A', 'B', 'C', 'D', 'E', 'F']) {
      await hub.fire({ alertname });
      await hub.flush();
      await hub.query(`UPDATE graphile_worker._private_jobs SET run_at = 'infinity' WHERE run_at <> created_at`);
      await hub.deliver();
    }
    expect(receiver.received).toHaveLength(6);
    expect(await health()).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
  });

  it('lets a notification whose time is up make its last attempt', async () => {
    await breakIt();
    await hub.query(`UPDATE receiver_health SET open_until = 'infinity'`);
    hub.clock.advance(HOUR);
    for (let minute = 0; minute < 2; minute++) {
      await hub.deliver();
      hub.clock.advance(60 * SECOND);
    }
    expect(await states()).toEqual(['dead', 'dead', 'dead']);
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 1 });
    expect(notifications[0]!.error).toMatch(/^given up after \d+ s and \d+ attempts; last: .*503/);
  });

  it('is not blamed for what our own shutdown cuts off', async () => {
    await hub.fire(...names(4));
    await hub.flush();
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 10 });
    const info = { id: '1', attempt: 1, signal: AbortSignal.abort() };
    await Promise.all(notifications.map(({ id }) => hub.get(DeliverNotificationHandler).handle({ id }, info)));
    expect(await health()).toMatchObject({ circuit: 'closed', consecutiveFailures: 0, lastError: null });
  });
});
