import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from 'eyrie/database';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsReader } from '../query/alerts-reader.js';
import { SilenceIndex, SilencesService } from '../silences/index.js';

const config = `
route: { receiver: team, group_by: [service], group_wait: 0s, group_interval: 1m, repeat_interval: 1h }
receivers: [{ name: team, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] }]
`;
const MINUTE = 60_000;
const slow = { alertname: 'Slow', service: 'shop' };
const down = { alertname: 'Down', service: 'shop' };
const me = { name: 'test' };

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config });
});
afterEach(async () => {
  await hub.clear();
  await hub.query('TRUNCATE silences, silence_events');
  await hub.query('UPDATE silences_revision SET revision = 0');
  await hub.get(SilenceIndex).catchUp(hub.get(Database), hub.clock.now());
});
afterAll(() => hub.close());

const silence = (alertname: string, minutes: number) =>
  hub.get(SilencesService).set(
    {
      matchers: [{ name: 'alertname', operator: '=', value: alertname }],
      ...{ endsAt: hub.clock.now() + minutes * MINUTE, createdBy: 'ann', comment: '' },
    },
    me,
  );

describe('H5: a silenced alert', () => {
  it('is not told of, and is at the first flush after the end of the silence', async () => {
    await silence('Slow', 3);
    await hub.fire(slow);
    await hub.flush();
    await hub.pass(5 * MINUTE, 10_000);
    expect(await hub.told()).toEqual(['180s team: Slow (first notification)']);
  });

  it('is told of at the next flush when the silence is ended by hand, not before', async () => {
    const { id } = await silence('Slow', 60);
    await hub.fire(slow);
    await hub.flush();
    await hub.pass(90_000, 10_000);
    await hub.get(SilencesService).expire(id, me);
    await hub.flush();
    expect(await hub.told()).toEqual([]);
    await hub.pass(MINUTE, 10_000);
    expect(await hub.told()).toEqual(['120s team: Slow (first notification)']);
  });

  it('is left out of what is told of its group', async () => {
    await silence('Slow', 60);
    await hub.fire(slow, down);
    await hub.flush();
    expect(await hub.told()).toEqual(['0s team: Down (first notification)']);
  });

  it('is not repeated, and its end is not told, as in Alertmanager', async () => {
    await hub.fire(slow);
    await hub.flush();
    await silence('Slow', 600);
    await hub.pass(3 * 60 * MINUTE, MINUTE);
    await hub.resolve(slow);
    await hub.pass(10 * MINUTE, MINUTE);
    expect(await hub.told()).toEqual(['0s team: Slow (first notification)']);
  });

  it('whose end comes after the silence is told that it has ended', async () => {
    await hub.fire(slow);
    await hub.flush();
    await silence('Slow', 2);
    await hub.pass(5 * MINUTE, MINUTE);
    await hub.resolve(slow);
    await hub.pass(2 * MINUTE, MINUTE);
    expect((await hub.told())[1]).toMatch(/resolved Slow \(all alerts resolved\)/);
  });

  it('H9: is shown with its silences where alerts are listed', async () => {
    await hub.fire(slow, down);
    const [one, other] = [await silence('Slow', 1), await silence('Slow', 2)];
    const byName = async () =>
      new Map((await hub.get(AlertsReader).active([])).map(({ name, silencedBy }) => [name, silencedBy]));
    expect(await byName()).toEqual(
      new Map([
        ['Slow', [one.id, other.id]],
        ['Down', []],
      ]),
    );
    hub.clock.advance(MINUTE);
    expect((await byName()).get('Slow')).toEqual([other.id]);
  });
});
