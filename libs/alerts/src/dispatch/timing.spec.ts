import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';

const config = `
route:
  receiver: team
  group_by: [service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - { matchers: [kind="quiet"], receiver: quiet }
    - { matchers: [kind="store"], receiver: nobody }
receivers:
  - { name: team, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] }
  - { name: quiet, webhook_configs: [{ url: 'http://127.0.0.1:9/', send_resolved: false }] }
  - { name: nobody }
`;
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const a = { alertname: 'A', service: 'shop' };
const b = { alertname: 'B', service: 'shop' };

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config });
});
afterEach(() => hub.clear());
afterAll(() => hub.close());

describe('H4: when a group is told of', () => {
  it('waits for group_wait, so that what comes together is told together', async () => {
    await hub.fire(a);
    await hub.pass(10 * SECOND);
    await hub.fire(b);
    await hub.pass(20 * SECOND);
    expect(await hub.told()).toEqual(['30s team: A B (first notification)']);
  });

  it('tells of another alert in the group at the next group_interval, not before', async () => {
    await hub.fire(a);
    await hub.pass(31 * SECOND);
    await hub.fire(b);
    await hub.pass(5 * MINUTE - 2 * SECOND);
    expect(await hub.told()).toHaveLength(1);
    await hub.pass(SECOND);
    expect((await hub.told())[1]).toBe('330s team: A B (new alerts added)');
  });

  it('repeats at the first group_interval after repeat_interval', async () => {
    await hub.fire(a);
    await hub.pass(2 * HOUR + 11 * MINUTE, 10 * SECOND);
    expect(await hub.told()).toEqual([
      '30s team: A (first notification)',
      `${30 + 65 * 60}s team: A (repeat interval elapsed)`,
      `${30 + 130 * 60}s team: A (repeat interval elapsed)`,
    ]);
  });

  it('flushes a new group at once when its alert has fired for longer than group_wait', async () => {
    await hub.post({ labels: a, startsAt: hub.clock.now() - 30 * SECOND });
    await hub.flush();
    expect(await hub.told()).toEqual(['0s team: A (first notification)']);
  });

  it('hastens a waiting group when such an alert joins it', async () => {
    await hub.fire(a);
    await hub.pass(SECOND);
    await hub.post({ labels: b, startsAt: hub.clock.now() - 30 * SECOND });
    await hub.flush();
    expect(await hub.told()).toEqual(['1s team: A B (first notification)']);
  });

  it.each([
    ['first', a, b],
    ['last', b, a],
  ])('flushes at once when such an alert comes together with others, it being the %s', async (_title, old, young) => {
    const now = hub.clock.now();
    await hub.post({ labels: old, startsAt: now - HOUR }, { labels: young, startsAt: now });
    await hub.flush();
    expect(await hub.told()).toEqual(['0s team: A B (first notification)']);
  });

  it('does not hasten a group that was told of already', async () => {
    await hub.fire(a);
    await hub.pass(31 * SECOND);
    await hub.post({ labels: b, startsAt: hub.clock.now() - HOUR });
    await hub.pass(4 * MINUTE);
    expect(await hub.told()).toHaveLength(1);
  });

  it('stores, and tells nobody, where the receiver has no integrations', async () => {
    await hub.fire({ alertname: 'A', kind: 'store' });
    await hub.pass(MINUTE);
    expect(await hub.told()).toEqual([]);
  });
});

describe('H7: how an end is told', () => {
  it('at the next group_interval: first of one alert, then of all', async () => {
    await hub.fire(a, b);
    await hub.pass(MINUTE);
    await hub.resolve(b);
    await hub.pass(5 * MINUTE);
    await hub.resolve(a);
    await hub.pass(5 * MINUTE);
    expect(await hub.told()).toEqual([
      '30s team: A B (first notification)',
      '330s team: A, resolved B (some alerts resolved)',
      '630s team: resolved A (all alerts resolved)',
    ]);
  });

  it('not at all when the alert was over before anybody was told', async () => {
    await hub.fire(a);
    await hub.pass(10 * SECOND);
    await hub.resolve(a);
    await hub.pass(10 * MINUTE);
    expect(await hub.told()).toEqual([]);
  });

  it('not with send_resolved: false, and yet the next time is told', async () => {
    const labels = { alertname: 'Q', kind: 'quiet' };
    await hub.fire(labels);
    await hub.pass(MINUTE);
    await hub.resolve(labels);
    await hub.pass(10 * MINUTE);
    await hub.fire(labels);
    await hub.pass(30 * SECOND);
    expect(await hub.told()).toEqual(['30s quiet: Q (first notification)', '690s quiet: Q (new alerts added)']);
  });

  it('when resolve_timeout has passed without a word, with an event that says so', async () => {
    await hub.post({ labels: a });
    await hub.pass(10 * MINUTE, 5 * SECOND);
    expect(await hub.told()).toEqual([
      '30s team: A (first notification)',
      '330s team: resolved A (all alerts resolved)',
    ]);
    const events = await hub.query(`SELECT type, actor FROM alert_events ORDER BY id`);
    expect(events).toEqual([
      { type: 'fired', actor: 'test' },
      { type: 'expired', actor: 'system' },
    ]);
  });

  it('an alert that ends and fires again between two flushes goes on, as far as receivers know', async () => {
    await hub.fire(a);
    await hub.pass(MINUTE);
    await hub.resolve(a);
    await hub.pass(MINUTE);
    await hub.fire(a);
    await hub.pass(10 * MINUTE);
    expect(await hub.told()).toHaveLength(1);
    const [counted] = await hub.query(`SELECT count(*)::int AS members FROM group_alerts`);
    expect(counted).toEqual({ members: 1 });
  });
});
