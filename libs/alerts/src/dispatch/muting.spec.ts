import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsReader } from '../query/alerts-reader.js';

const config = `
route:
  receiver: team
  group_by: ['...']
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 1h
  routes:
    - { matchers: [route="asleep"], mute_time_intervals: [lunch] }
    - { matchers: [route="office"], active_time_intervals: [afternoon] }
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="low"]
    equal: [cluster]
  - source_matchers: [tier=~"1|2"]
    target_matchers: [tier=~"2|3"]
time_intervals:
  - { name: lunch, time_intervals: [{ times: [{ start_time: '12:00', end_time: '12:30' }] }] }
  - { name: afternoon, time_intervals: [{ times: [{ start_time: '12:30', end_time: '18:00' }] }] }
receivers:
  - { name: team, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] }
`;
const MINUTE = 60_000;
const low = { alertname: 'Low', severity: 'low', cluster: 'eu' };
const critical = { alertname: 'Critical', severity: 'critical', cluster: 'eu' };

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config });
});
afterEach(() => hub.clear());
afterAll(() => hub.close());

/** Who of the alerts was told of as firing. */
async function toldOf(): Promise<string[]> {
  return (await hub.told()).map((line) => /team: (\w+)/.exec(line)![1]!).sort();
}

describe('H4: inhibition', () => {
  it('holds back an alert while a source fires, and lets it through when that ends', async () => {
    await hub.fire(critical, low);
    await hub.flush();
    expect(await toldOf()).toEqual(['Critical']);
    await hub.resolve(critical);
    await hub.pass(MINUTE);
    expect(await toldOf()).toEqual(['Critical', 'Low', 'resolved']);
    expect(await hub.query(`SELECT FROM inhibitors`)).toEqual([]);
  });

  it('also when the source comes later: then the target stays told of, and is not repeated', async () => {
    await hub.fire(low);
    await hub.flush();
    await hub.fire(critical);
    await hub.pass(3 * 60 * MINUTE, MINUTE);
    expect((await hub.told()).filter((line) => line.includes('Low'))).toHaveLength(1);
  });

  it('only where the labels of `equal` agree; one that both lack agrees', async () => {
    await hub.fire(critical, { ...low, cluster: 'us' });
    await hub.flush();
    expect(await toldOf()).toEqual(['Critical', 'Low']);
    await hub.clear();
    await hub.fire({ alertname: 'Critical', severity: 'critical' }, { alertname: 'Low', severity: 'low' });
    await hub.flush();
    expect(await toldOf()).toEqual(['Critical']);
  });

  it('ends with a source that nobody resolved but whose time is up', async () => {
    await hub.fire(low);
    await hub.post({ labels: critical, endsAt: hub.clock.now() + 90_000 });
    await hub.flush();
    expect(await toldOf()).toEqual(['Critical']);
    await hub.pass(2 * MINUTE);
    expect(await toldOf()).toContain('Low');
  });

  it('does not let an alert that matches both sides inhibit itself or another such one', async () => {
    await hub.fire({ alertname: 'One', tier: '2' }, { alertname: 'Two', tier: '2' });
    await hub.flush();
    expect(await toldOf()).toEqual(['One', 'Two']);
  });

  it('lets an alert of both sides inhibit one of the target side, and be inhibited by one of the source side', async () => {
    await hub.fire({ alertname: 'Middle', tier: '2' }, { alertname: 'Down', tier: '3' });
    await hub.flush();
    expect(await toldOf()).toEqual(['Middle']);
    await hub.clear();
    await hub.fire({ alertname: 'Up', tier: '1' }, { alertname: 'Middle', tier: '2' });
    await hub.flush();
    expect(await toldOf()).toEqual(['Up']);
  });

  it('H9: is shown where alerts are listed, by the fingerprint of the source', async () => {
    await hub.fire(critical, low);
    const active = await hub.get(AlertsReader).active([]);
    const byName = new Map(active.map((alert) => [alert.name, alert]));
    expect(byName.get('Low')!.inhibitedBy).toEqual([byName.get('Critical')!.fingerprint]);
    expect(byName.get('Critical')!.inhibitedBy).toEqual([]);
    expect(byName.get('Low')!.receivers).toEqual(['team']);
  });
});

describe('H4: time intervals', () => {
  it('a route says nothing in its mute time, and tells what still fires afterwards', async () => {
    await hub.fire({ alertname: 'Napping', route: 'asleep' });
    await hub.pass(29 * MINUTE, MINUTE);
    expect(await hub.told()).toEqual([]);
    await hub.pass(MINUTE);
    expect(await hub.told()).toEqual(['1800s team: Napping (first notification)']);
  });

  it('a route says nothing outside its active time', async () => {
    await hub.fire({ alertname: 'Working', route: 'office' });
    await hub.pass(5.5 * 60 * MINUTE + 30 * MINUTE, MINUTE);
    const told = await hub.told();
    expect(told[0]).toBe('1800s team: Working (first notification)');
    await hub.pass(3 * 60 * MINUTE, MINUTE);
    expect(await hub.told()).toEqual(told);
  });

  it('what came and went in the mute time is never told of', async () => {
    const labels = { alertname: 'Napping', route: 'asleep' };
    await hub.fire(labels);
    await hub.pass(5 * MINUTE, MINUTE);
    await hub.resolve(labels);
    await hub.pass(60 * MINUTE, MINUTE);
    expect(await hub.told()).toEqual([]);
  });
});
