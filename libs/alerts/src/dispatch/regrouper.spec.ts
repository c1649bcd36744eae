import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { AlertsConfigError } from '../config/index.js';
import { AlertsReader } from '../query/alerts-reader.js';
import { NotificationsReader } from '../query/notifications-reader.js';
import { Regrouper } from './regrouper.js';

Logger.overrideLogger(false);

const MINUTE = 60_000;
const webhook = (name: string) => ({ name, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] });
const timing = { group_wait: '10s', group_interval: '1m', repeat_interval: '1h' };
const file = (route: object, more: object = {}) =>
  JSON.stringify({
    route: { receiver: 'team', ...timing, ...route },
    receivers: ['team', 'dba'].map(webhook),
    ...more,
  });

const byService = file({ group_by: ['service'] });
const byName = file({ group_by: ['alertname'] });
const withDba = file({
  group_by: ['service'],
  routes: [{ matchers: ['service="db"'], receiver: 'dba' }],
});

const shop = { alertname: 'Slow', service: 'shop' };
const db = { alertname: 'Down', service: 'db' };

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config: byService });
  await hub.get(Regrouper).onApplicationBootstrap();
});
beforeEach(async () => {
  await hub.reload(byService);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await hub.clear();
});
afterAll(() => hub.close());

const groups = async () =>
  (
    await hub.query<{ line: string }>(
      `SELECT key || ' ' || coalesce(string_agg(name, ' ' ORDER BY name), '-') AS line
       FROM alert_groups grp LEFT JOIN group_alerts ON group_id = grp.id LEFT JOIN alerts ON alert_id = alerts.id
       GROUP BY grp.id ORDER BY key`,
    )
  ).map(({ line }) => line);

describe('H4: a reload', () => {
  it('moves firing alerts to the groups that the new file calls for, and tells of them there', async () => {
    await hub.fire(shop, { ...shop, alertname: 'Down' }, db);
    await hub.pass(MINUTE);
    await hub.reload(byName);
    expect((await groups()).filter((line) => !line.endsWith('-'))).toEqual([
      '{}:{alertname="Down"} Down Down',
      '{}:{alertname="Slow"} Slow',
    ]);
    await hub.pass(MINUTE);
    expect((await hub.told()).slice(2)).toEqual([
      '61s team: Down Down (first notification)',
      '61s team: Slow (first notification)',
    ]);
    expect(await groups()).toHaveLength(2); // the old ones are reaped
  });

  it('lets alerts that stay where they are alone', async () => {
    await hub.fire(shop, db);
    await hub.pass(MINUTE);
    await hub.reload(withDba);
    await hub.pass(30 * MINUTE, MINUTE);
    expect((await hub.told()).slice(2)).toEqual(['120s dba: Down (first notification)']);
    const events = await hub.query(`SELECT name, type FROM alert_events JOIN alerts ON alerts.id = alert_id
                                    WHERE type <> 'fired'`);
    expect(events).toEqual([{ name: 'Down', type: 'regrouped' }]);
  });

  it('applies new inhibit rules to what fires already', async () => {
    await hub.fire(shop, db);
    await hub.reload(
      file(
        { group_by: ['service'] },
        {
          inhibit_rules: [{ source_matchers: ['service="db"'], target_matchers: ['service="shop"'] }],
        },
      ),
    );
    await hub.pass(10_000);
    expect(await hub.told()).toEqual(['10s team: Down (first notification)']);
  });

  it('forgets what an inhibit rule meant before, also when it keeps its name', async () => {
    const rule = (source: string) =>
      file(
        { group_by: ['service'] },
        { inhibit_rules: [{ name: 'rule', source_matchers: [source], target_matchers: ['service="shop"'] }] },
      );
    await hub.reload(rule('service="db"'));
    await hub.fire(shop, db);
    await hub.reload(rule('service="cache"'));
    await hub.pass(10_000);
    expect(await hub.told()).toEqual(['10s team: Down (first notification)', '10s team: Slow (first notification)']);
  });

  it('leaves alone what has ended: nobody is told of it again', async () => {
    await hub.fire(shop);
    await hub.pass(10_000);
    await hub.resolve(shop);
    await hub.reload(byName);
    await hub.pass(5 * MINUTE);
    expect((await hub.told()).filter((line) => !line.includes('resolved'))).toHaveLength(1);
  });

  it('moves any number of alerts', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => ({ alertname: `A${index}`, service: 'shop' }));
    await hub.fire(...many);
    await hub.reload(byName);
    const [moved] = await hub.query(
      `SELECT count(*)::int AS members, count(DISTINCT group_id)::int AS groups FROM group_alerts`,
    );
    expect(moved).toEqual({ members: 1_200, groups: 1_200 });
  });

  it('moves them although it lost against another transaction at first', async () => {
    await hub.fire(shop);
    const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' });
    jest.spyOn(hub.get(Database), 'transaction').mockRejectedValueOnce(deadlock);
    await hub.reload(byName);
    expect(await groups()).toContain('{}:{alertname="Slow"} Slow');
  });

  it('counts as one when a process starts with another file than the last', async () => {
    await hub.fire(shop);
    const other = await testHub({ config: byName, beside: hub });
    await other.get(Regrouper).onApplicationBootstrap();
    await other.close();
    expect(await groups()).toContain('{}:{alertname="Slow"} Slow');
  });

  it('H3: keeps the notifications of an alert together, before and after it moved', async () => {
    await hub.fire(shop);
    await hub.pass(10_000);
    await hub.reload(byName);
    await hub.pass(MINUTE);
    const reader = hub.get(AlertsReader);
    const [alert] = (await reader.page({ limit: 1 })).alerts;
    const events = await reader.events(alert!.id);
    expect(events.map(({ type }) => type)).toEqual(['fired', 'regrouped']);
    const notifications = await hub.get(NotificationsReader).ofAlert(alert!, events);
    expect(notifications.map(({ groupKey }) => groupKey)).toEqual(['{}:{alertname="Slow"}', '{}:{service="shop"}']);
  });

  it('H3: also those of an alert that had ended before, and goes on under the new file', async () => {
    const startsAt = hub.clock.now();
    await hub.fire(shop);
    await hub.pass(10_000);
    await hub.resolve(shop);
    await hub.pass(5 * MINUTE);
    await hub.reload(byName);
    await hub.post({ labels: shop, startsAt, endsAt: hub.clock.now() + 5 * MINUTE });
    await hub.pass(MINUTE);
    const [alert] = (await hub.get(AlertsReader).page({ limit: 1 })).alerts;
    const events = await hub.get(AlertsReader).events(alert!.id);
    const notifications = await hub.get(NotificationsReader).ofAlert(alert!, events);
    expect(notifications.map(({ groupKey }) => groupKey)).toContain('{}:{alertname="Slow"}');
  });

  it('with a faulty file changes nothing, and names each fault', async () => {
    const store = hub.get(AlertsConfigStore);
    const { config, routing } = store;
    await hub.configure('route: { receiver: nobody, group_wait: soon }\nreceivers: [{ name: team }]');
    await expect(store.reload()).rejects.toThrow(AlertsConfigError);
    expect(store.config).toBe(config);
    expect(store.routing).toBe(routing);
    await hub.fire(shop);
    await hub.pass(10_000);
    expect(await hub.told()).toEqual(['10s team: Slow (first notification)']);
  });
});

describe('H1: a group of a route that this worker does not know', () => {
  it('is adopted: its firing alerts go where the file in force puts them', async () => {
    const newer = await testHub({ config: byName, beside: hub });
    await newer.fire(shop, db);
    await newer.close();
    expect(await groups()).toEqual(['{}:{alertname="Down"} Down', '{}:{alertname="Slow"} Slow']);
    await hub.pass(20_000);
    expect(await hub.told()).toEqual(['10s team: Down (first notification)', '10s team: Slow (first notification)']);
    expect(await groups()).toEqual(['{}:{service="db"} Down', '{}:{service="shop"} Slow']);
    const [alert] = (await hub.get(AlertsReader).page({ limit: 1 })).alerts;
    const events = await hub.get(AlertsReader).events(alert!.id);
    expect(await hub.get(NotificationsReader).ofAlert(alert!, events)).toHaveLength(1);
  });

  it('is removed when nothing in it fires any more', async () => {
    const newer = await testHub({ config: byName, beside: hub });
    await newer.fire(shop);
    await newer.resolve(shop);
    await newer.close();
    await hub.pass(20_000);
    expect(await groups()).toEqual([]);
    expect(await hub.told()).toEqual([]);
  });
});
