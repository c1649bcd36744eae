import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Database, type Statement } from 'eyrie/database';
import { TestClock, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { FreshNotifications, type NotificationRow } from './fresh-notifications.js';
import { LOAD } from './statements.js';

Logger.overrideLogger(false);

const row = (id: string, body = '{}'): NotificationRow => ({
  id,
  receiver: 'team',
  integration: 'team/webhook/0',
  body,
  attempts: 0,
  caused_at: 0,
  retry_since: 0,
  open_until: null,
  probing: false,
});

describe('what was committed a moment ago', () => {
  let clock: TestClock;
  let fresh: FreshNotifications;

  beforeEach(() => {
    clock = new TestClock();
    fresh = new FreshNotifications(clock);
  });

  it('is answered once', () => {
    fresh.keep([row('a'), row('b')]);
    expect(fresh.take('b')).toEqual(row('b'));
    expect(fresh.take('b')).toBeUndefined();
    expect(fresh.take('a')).toEqual(row('a'));
    expect(fresh.take('c')).toBeUndefined();
  });

  it('is forgotten after half a second', () => {
    fresh.keep([row('a')]);
    clock.advance(400);
    fresh.keep([row('b')]);
    clock.advance(100);
    expect(fresh.take('a')).toBeUndefined();
    expect(fresh.take('b')).toEqual(row('b'));
  });

  it('takes a bounded part of the memory: the latest 500, and none that is large', () => {
    fresh.keep([row('large', 'x'.repeat(32_769)), row('fits', 'x'.repeat(32_768))]);
    expect([fresh.take('large'), fresh.take('fits')?.id]).toEqual([undefined, 'fits']);
    fresh.keep(Array.from({ length: 501 }, (_, index) => row(`n${index}`)));
    expect(['n0', 'n1', 'n500'].map((id) => fresh.take(id)?.id)).toEqual([undefined, 'n1', 'n500']);
  });
});

describe('H7: the first attempt by the process that has told', () => {
  let receiver: Receiver;
  let config: string;
  let hub: TestHub;

  beforeAll(async () => {
    receiver = await Receiver.start();
    config = `
route: { receiver: team, group_by: ['...'], group_wait: 0s }
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]`;
    hub = await testHub({ config, notify: { firstMs: 100 } });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    receiver.reset();
    await hub.clear();
  });
  afterAll(async () => {
    await hub.close();
    await receiver.close();
  });

  async function loadsOf(work: () => Promise<unknown>): Promise<number> {
    const query = jest.spyOn(hub.get(Database), 'query');
    await work();
    return query.mock.calls.filter(([statement]) => (statement as Statement).name === LOAD.name).length;
  }
  it('needs no loading, and sends what is stored', async () => {
    await hub.fire({ alertname: 'Up "and" <down>\u00e9\n' });
    await hub.flush();
    expect(await loadsOf(() => hub.deliver())).toBe(0);
    const [stored] = await hub.query(`SELECT payload::text AS body, state FROM notifications`);
    expect(stored).toEqual({ body: receiver.received[0]!.body, state: 'delivered' });
  });

  it('loads it when that is a while ago', async () => {
    await hub.fire({ alertname: 'A' });
    await hub.flush();
    hub.clock.advance(1_000);
    expect(await loadsOf(() => hub.deliver())).toBe(1);
    expect(receiver.received).toHaveLength(1);
  });

  it('knows of the circuit of its integration', async () => {
    await hub.query(
      `INSERT INTO receiver_health (integration, failures, open_until, openings)
       VALUES ('team/webhook/0', 5, to_timestamp($1), 1)`,
      [hub.clock.now() / 1000 + 60],
    );
    await hub.fire({ alertname: 'A' });
    await hub.flush();
    expect(await loadsOf(() => hub.deliver())).toBe(0);
    expect(receiver.received).toHaveLength(0);
  });

  it('no other: the second attempt knows of a first that another process has made', async () => {
    const other = await testHub({ config, beside: hub, notify: { firstMs: 100 } });
    try {
      jest.spyOn(Math, 'random').mockReturnValue(0.5);
      receiver.replies.push({ status: 503 });
      await hub.fire({ alertname: 'A' });
      await hub.flush();
      await other.deliver();
      hub.clock.advance(100);
      await hub.deliver();
      expect(receiver.received.map(({ headers }) => headers['eyrie-attempt'])).toEqual(['1', '2']);
    } finally {
      await other.close();
    }
  });
});
