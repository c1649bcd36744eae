import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Queryable, Database } from 'eyrie/database';
import { eventually } from '../../../../test/harness/eventually.js';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { FlushPass } from './flush.js';

const MINUTE = 60_000;
let hub: TestHub;
let receiver: Receiver;
let config: string;

beforeAll(async () => {
  receiver = await Receiver.start();
  config = `
route: { receiver: team, group_by: [service], group_wait: 0s, group_interval: 1m, repeat_interval: 1h }
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]`;
  hub = await testHub({ config });
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

const states = async () =>
  (await hub.query<{ state: string }>(`SELECT state FROM notifications ORDER BY id`)).map(({ state }) => state);
const waitingForLocks = async () =>
  (await hub.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
    .length;
const statusesReceived = () => receiver.received.map(({ body }) => (JSON.parse(body) as { status: string }).status);

describe('H1: a flush happens whole, or not at all', () => {
  it('leaves its groups due when it dies before the commit', async () => {
    await hub.fire({ alertname: 'A' });
    const database = hub.get(Database);
    const transaction = database.transaction.bind(database);
    jest.spyOn(database, 'transaction').mockImplementationOnce((work) =>
      transaction(async (tx: Queryable) => {
        await work(tx);
        throw new Error('killed');
      }),
    );
    await expect(hub.get(FlushPass).run()).rejects.toThrow('killed');
    expect(await hub.told()).toEqual([]);
    expect(await hub.deliver()).toBe(0);
    await hub.flush();
    expect(await hub.told()).toEqual(['0s team: A (first notification)']);
    expect(await hub.deliver()).toBe(1);
  });

  it('two dispatchers at once never tell twice', async () => {
    const other = await testHub({ config, beside: hub });
    try {
      const services = Array.from({ length: 250 }, (_, index) => ({ alertname: 'A', service: `s${index}` }));
      await hub.fire(...services);
      const passes = [hub, other, hub, other].map((one) => one.flush());
      await Promise.all(passes);
      expect(await hub.told()).toHaveLength(250);
      const [jobs] = await hub.query(`SELECT count(*)::int AS count FROM graphile_worker._private_jobs`);
      expect(jobs).toEqual({ count: 250 });
    } finally {
      await other.close();
    }
  });
});

describe('H1: notifications of one group to one integration keep their order', () => {
  const labels = { alertname: 'A', service: 'shop' };

  it('a resolution waits until what came before it is delivered', async () => {
    receiver.replies.push({ status: 503 });
    await hub.fire(labels);
    await hub.flush();
    await hub.deliver();
    await hub.resolve(labels);
    await hub.pass(MINUTE);
    expect(await states()).toEqual(['pending', 'waiting']);
    await hub.deliver();
    expect(await states()).toEqual(['delivered', 'delivered']);
    expect(statusesReceived()).toEqual(['firing', 'firing', 'resolved']);
  });

  it('or until what came before it is given up', async () => {
    receiver.replies.push({ status: 400 });
    await hub.fire(labels);
    await hub.flush();
    await hub.resolve(labels);
    await hub.pass(MINUTE);
    expect(await states()).toEqual(['pending', 'waiting']);
    await hub.deliver();
    expect(await states()).toEqual(['dead', 'delivered']);
  });

  it('several wait in the order in which they were made', async () => {
    await hub.fire(labels);
    await hub.flush();
    for (const alertname of ['B', 'C', 'D']) {
      await hub.fire({ ...labels, alertname });
      await hub.pass(MINUTE);
    }
    expect(await states()).toEqual(['pending', 'waiting', 'waiting', 'waiting']);
    await hub.deliver();
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { alerts: [] }).alerts.length)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('what joins the line while the one before it is settled starts after it', async () => {
    const other = await testHub({ config, beside: hub });
    const told = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    try {
      await hub.fire(labels);
      await hub.flush();
      await hub.fire({ ...labels, alertname: 'B' });
      hub.clock.advance(MINUTE);
      const database = other.get(Database);
      const transaction = database.transaction.bind(database);
      jest.spyOn(database, 'transaction').mockImplementationOnce((work) =>
        transaction(async (tx: Queryable) => {
          const result = await work(tx);
          told.resolve();
          await mayCommit.promise;
          return result;
        }),
      );
      const joining = other.flush();
      await told.promise;
      const settling = hub.deliver();
      await eventually(async () => (await waitingForLocks()) > 0);
      mayCommit.resolve();
      await Promise.all([joining, settling]);
      await hub.deliver();
      expect(await states()).toEqual(['delivered', 'delivered']);
    } finally {
      mayCommit.resolve();
      await other.close();
    }
  });

  it('other groups do not wait', async () => {
    receiver.replies.push({ status: 503 });
    await hub.fire(labels);
    await hub.flush();
    await hub.deliver();
    await hub.fire({ ...labels, service: 'bank' });
    await hub.flush();
    await hub.deliver();
    expect(await states()).toEqual(['pending', 'delivered']);
  });

  it('nothing is left behind when all is told: group, members and log are gone', async () => {
    await hub.fire(labels);
    await hub.flush();
    await hub.deliver();
    await hub.resolve(labels);
    await hub.pass(MINUTE);
    await hub.deliver();
    await hub.pass(2 * MINUTE);
    const [left] = await hub.query(
      `SELECT (SELECT count(*)::int FROM alert_groups) AS groups, (SELECT count(*)::int FROM group_alerts) AS members,
         (SELECT count(*)::int FROM notification_log WHERE outstanding > 0) AS outstanding`,
    );
    expect(left).toEqual({ groups: 0, members: 0, outstanding: 0 });
  });
});
