import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { testHub, type TestHub } from '../../../test/harness/hub.js';
import { AlertsConfigStore } from './alerts-config.store.js';
import { AlertsService, InvalidAlert } from './alerts.service.js';
import { AlertsReader } from './query/alerts-reader.js';

let hub: TestHub;
let alerts: AlertsService;
beforeAll(async () => {
  hub = await testHub({ config: '{ route: { receiver: team }, receivers: [{ name: team }] }' });
  alerts = hub.get(AlertsService);
});
afterEach(() => hub.clear());
afterAll(() => hub.close());

const stored = async () => (await hub.get(AlertsReader).page({ limit: 10 })).alerts;

describe('H2: alerts from code', () => {
  it('are stored when the call resolves', async () => {
    await alerts.trigger({ name: 'PaymentsDown', severity: 'critical', message: 'No payment for 5 minutes' });
    expect(await stored()).toMatchObject([
      {
        name: 'PaymentsDown',
        severity: 'critical',
        state: 'firing',
        annotations: { summary: 'No payment for 5 minutes' },
        endsAt: '2020-03-01T12:05:00.000Z',
      },
    ]);
  });

  it('are the same alert when name, severity and labels are the same', async () => {
    await alerts.trigger({ name: 'A', labels: { host: 'x' }, message: 'one' });
    await alerts.trigger({ name: 'A', labels: { host: 'x' }, message: 'two' });
    await alerts.trigger({ name: 'A', labels: { host: 'y' } });
    expect((await stored()).map(({ labels, occurrences }) => [labels['host'], occurrences])).toEqual([
      ['y', 1],
      ['x', 2],
    ]);
  });

  it('are ended by name, severity and labels, and keep what was said of them', async () => {
    await alerts.trigger({ name: 'A', severity: 'high', message: 'it burns' });
    hub.clock.advance(60_000);
    await alerts.resolve({ name: 'A', severity: 'high' }, 'somebody');
    expect(await stored()).toMatchObject([
      {
        state: 'resolved',
        annotations: { summary: 'it burns' },
        startsAt: '2020-03-01T12:00:00.000Z',
        endsAt: '2020-03-01T12:01:00.000Z',
      },
    ]);
    const [alert] = await stored();
    const events = await hub.get(AlertsReader).events(alert!.id);
    expect(events.map(({ type, actor }) => [type, actor])).toEqual([
      ['fired', 'code'],
      ['resolved', 'somebody'],
    ]);
  });

  it('may come with an end of their own', async () => {
    await alerts.trigger({ name: 'A', endsAt: '2020-03-01T13:00:00Z' });
    await alerts.trigger({ name: 'A' });
    expect(await stored()).toMatchObject([{ endsAt: '2020-03-01T13:00:00.000Z', occurrences: 2 }]);
  });

  it('that make no sense are refused with every fault and its place, and nothing is stored', async () => {
    const trigger = alerts.trigger({ name: '', labels: { 'a/b': 'x\0' }, startsAt: 'now' });
    await expect(trigger).rejects.toThrow(InvalidAlert);
    const { faults } = (await trigger.catch((error: unknown) => error)) as InvalidAlert;
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(['/labels/a~1b', '/name', '/startsAt']);
    await expect(alerts.trigger({ name: 'A', startsAt: '2027-03-01T12:00:00Z' })).rejects.toThrow(/clock/);
    expect(await stored()).toEqual([]);
  });

  it('come together or not at all', async () => {
    const good = { name: 'A', severity: 'low' as const, labels: {}, details: {} };
    const late = { ...good, startsAt: '2027-03-01T12:00:00Z' };
    await expect(alerts.triggerAll([good, late])).rejects.toThrow(InvalidAlert);
    expect(await stored()).toEqual([]);
    await alerts.triggerAll([good, { ...good, name: 'B' }]);
    expect(await stored()).toHaveLength(2);
    await alerts.receive([], 'nobody');
  });
});

describe('H4: the configuration in force', () => {
  it('without a file stores everything and tells nobody', async () => {
    const store = await AlertsConfigStore.load({ configFile: undefined });
    const [group] = store.routing.groupsOf({ alertname: 'A' });
    expect(store.config.receivers.get(group!.route.receiver)!.integrations).toEqual([]);
    await store.reload();
  });

  it('tells its listeners of each reload, after it is in force', async () => {
    const store = await AlertsConfigStore.load({ configFile: undefined });
    const before = store.config;
    const heard: boolean[] = [];
    store.onReload((config) => void heard.push(config === store.config && config !== before));
    await store.reload();
    expect(heard).toEqual([true]);
  });

  it('gives new alerts the resolve_timeout of the file', async () => {
    await hub.reload('{ global: { resolve_timeout: 1h }, route: { receiver: team }, receivers: [{ name: team }] }');
    await alerts.trigger({ name: 'A' });
    expect(await stored()).toMatchObject([{ endsAt: '2020-03-01T13:00:00.000Z' }]);
  });
});
