import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { AlertsReader, type AlertView } from './alerts-reader.js';
import { type NotificationFilter, NotificationsReader } from './notifications-reader.js';

Logger.overrideLogger(false);

const MINUTE = 60_000;
let hub: TestHub;
let receiver: Receiver;
let reader: NotificationsReader;
beforeAll(async () => {
  receiver = await Receiver.start();
  hub = await testHub({
    config: `
route:
  receiver: team
  group_by: [service]
  group_wait: 0s
  group_interval: 1m
  routes: [{ matchers: [service="db"], receiver: dba }]
receivers:
  - { name: team, webhook_configs: [{ url: '${receiver.url}' }] }
  - { name: dba, webhook_configs: [{ url: '${receiver.url}' }] }`,
  });
  reader = hub.get(NotificationsReader);
});
afterEach(async () => {
  receiver.reset();
  await hub.clear();
});
afterAll(async () => {
  await hub.close();
  await receiver.close();
});

async function ofAlert(alert: AlertView): Promise<string[]> {
  const events = await hub.get(AlertsReader).events(alert.id);
  return (await reader.ofAlert(alert, events)).map(
    ({ status, receiver: to, createdAt }) => `${createdAt.slice(14, 19)} ${to} ${status}`,
  );
}

describe('H3: pages of notifications', () => {
  it('hold each once, the latest first, while more are made', async () => {
    for (let service = 0; service < 9; service++) {
      await hub.fire({ alertname: 'A', service: `s${service}` });
      await hub.flush();
    }
    const keys: string[] = [];
    for (let before: string | undefined, page = 0; ; page++) {
      const { notifications, next } = await reader.page({ limit: 2, before });
      keys.push(...notifications.map(({ groupKey }) => /s\d/.exec(groupKey)![0]));
      if (!next) break;
      before = next;
      await hub.fire({ alertname: 'A', service: `late${page}` });
      await hub.flush();
    }
    expect(keys).toEqual(['s8', 's7', 's6', 's5', 's4', 's3', 's2', 's1', 's0']);
  });

  it('are filtered by state and receiver, and say how things stand', async () => {
    receiver.replies.push({ status: 400 });
    await hub.fire({ alertname: 'A', service: 'db' });
    await hub.flush();
    await hub.deliver();
    await hub.fire({ alertname: 'A', service: 'shop' }, { alertname: 'B', service: 'shop' });
    await hub.flush();
    const found = async (filter: Omit<NotificationFilter, 'limit'>) =>
      (await reader.page({ limit: 10, ...filter })).notifications;
    expect((await found({ state: 'dead' })).map((one) => one.receiver)).toEqual(['dba']);
    expect((await found({ receiver: 'team' })).map((one) => one.state)).toEqual(['pending']);
    expect(await found({ state: 'dead', receiver: 'team' })).toEqual([]);
    expect((await found({ receiver: 'team' }))[0]).toEqual({
      id: expect.any(String),
      receiver: 'team',
      integration: 'team/webhook/0',
      state: 'pending',
      groupKey: '{}:{service="shop"}',
      status: 'firing',
      alerts: 2,
      attempts: 0,
      error: null,
      createdAt: '2020-03-01T12:00:00.000Z',
      settledAt: null,
    });
    expect(await reader.byId('00000000-0000-7000-8000-000000000000')).toBeUndefined();
  });
});

describe('H3: the history of one alert', () => {
  const labels = { alertname: 'A', service: 'shop' };

  it('holds its events in order, and the notifications that told of it', async () => {
    await hub.fire(labels, { alertname: 'Other', service: 'db' });
    await hub.flush();
    await hub.resolve(labels);
    await hub.pass(MINUTE, MINUTE);
    const { alerts } = await hub.get(AlertsReader).page({ limit: 10 });
    const alert = alerts.find(({ name }) => name === 'A')!;
    const events = await hub.get(AlertsReader).events(alert.id);
    expect(events.map(({ type, actor, at }) => `${at.slice(14, 19)} ${type} ${actor}`)).toEqual([
      '00:00 fired test',
      '00:00 resolved test',
    ]);
    expect(await ofAlert(alert)).toEqual(['01:00 team resolved', '00:00 team firing']);
  });

  it('does not hold the notifications of the episodes before and after', async () => {
    for (let episode = 0; episode < 3; episode++) {
      await hub.fire(labels);
      await hub.flush();
      await hub.deliver();
      await hub.resolve(labels);
      await hub.pass(10 * MINUTE, MINUTE);
      await hub.deliver();
    }
    const { alerts } = await hub.get(AlertsReader).page({ limit: 10 });
    expect(await Promise.all(alerts.map(ofAlert))).toEqual([
      ['21:00 team resolved', '20:00 team firing'],
      ['11:00 team resolved', '10:00 team firing'],
      ['01:00 team resolved', '00:00 team firing'],
    ]);
  });
});
