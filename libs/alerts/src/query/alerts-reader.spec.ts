import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { matchesAll, parseMatchers, type Labels } from '../config/index.js';
import { type AlertFilter, AlertsReader, type AlertView } from './alerts-reader.js';

const MINUTE = 60_000;
let hub: TestHub;
let reader: AlertsReader;
beforeAll(async () => {
  hub = await testHub({
    config: `
route: { receiver: team, routes: [{ matchers: [service="db"], receiver: dba, continue: true }, { receiver: team }] }
receivers: [{ name: team }, { name: dba }]`,
  });
  reader = hub.get(AlertsReader);
});
afterEach(() => hub.clear());
afterAll(() => hub.close());

/** All pages; `between` runs after each. */
async function walk(filter: AlertFilter, between?: () => Promise<void>): Promise<AlertView[]> {
  const all: AlertView[] = [];
  for (let before: string | undefined; ;) {
    const { alerts, next } = await reader.page({ ...filter, before });
    expect(alerts.length).toBeLessThanOrEqual(filter.limit);
    all.push(...alerts);
    if (next === undefined) return all;
    before = next;
    await between?.();
  }
}

const names = (alerts: readonly AlertView[]) => alerts.map(({ name }) => name);
const numbered = (count: number, prefix = 'A') =>
  Array.from({ length: count }, (_, index) => ({ alertname: `${prefix}${index}` }));

describe('H3: pages of alerts', () => {
  it('show the latest first, with all that is known', async () => {
    await hub.fire({ alertname: 'Old' });
    hub.clock.advance(MINUTE);
    await hub.post({
      labels: { alertname: 'New', severity: 'high' },
      annotations: { summary: 'it burns' },
      startsAt: hub.clock.now() - 1_500,
    });
    const { alerts, next } = await reader.page({ limit: 10 });
    expect(next).toBeUndefined();
    expect(names(alerts)).toEqual(['New', 'Old']);
    expect(alerts[0]).toEqual({
      id: expect.any(String),
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'New',
      severity: 'high',
      state: 'firing',
      labels: { alertname: 'New', severity: 'high' },
      annotations: { summary: 'it burns' },
      generatorURL: '',
      startsAt: '2020-03-01T12:00:58.500Z',
      endsAt: '2020-03-01T12:06:00.000Z',
      lastSeenAt: '2020-03-01T12:01:00.000Z',
      occurrences: 1,
      acknowledgedBy: null,
      acknowledgedAt: null,
      snoozedUntil: null,
    });
    expect(await reader.byId(alerts[0]!.id)).toEqual(alerts[0]);
    expect(await reader.byId('00000000-0000-7000-8000-000000000000')).toBeUndefined();
  });

  it.each([1, 7, 25, 26])('of %i hold each alert once, and end', async (limit) => {
    for (const alert of numbered(25)) await hub.fire(alert);
    const all = names(await walk({ limit }));
    expect(all).toEqual(
      numbered(25)
        .map(({ alertname }) => alertname)
        .reverse(),
    );
  });

  it('neither skip nor repeat while alerts keep coming in', async () => {
    for (const alert of numbered(30)) await hub.fire(alert);
    let late = 0;
    const more = () => hub.fire({ alertname: `Late${late++}` }, { alertname: 'A3' });
    const all = names(await walk({ limit: 4 }, more));
    expect(all.filter((name) => name.startsWith('A'))).toEqual(
      numbered(30)
        .map(({ alertname }) => alertname)
        .reverse(),
    );
    expect(late).toBeGreaterThan(3);
  });

  it('with a rare match go on until it is found', async () => {
    await hub.fire({ alertname: 'Rare', host: 'x' });
    await hub.fire(...numbered(300));
    expect(names(await walk({ limit: 5, matchers: parseMatchers('{host="x"}') }))).toEqual(['Rare']);
  });
});

describe('H3: filters', () => {
  it('by severity, by state, by the name alone, and by all of them', async () => {
    const [low, high] = [
      { alertname: 'Disk', severity: 'low' },
      { alertname: 'Disk', severity: 'high' },
    ];
    await hub.fire(low, high, { alertname: 'CPU', severity: 'high' });
    await hub.resolve(high);
    const found = async (filter: Partial<AlertFilter>) =>
      (await walk({ limit: 2, ...filter })).map(({ name, severity }) => `${name} ${severity}`).sort();
    expect(await found({ severity: 'high' })).toEqual(['CPU high', 'Disk high']);
    expect(await found({ state: 'resolved' })).toEqual(['Disk high']);
    expect(await found({ state: 'firing' })).toEqual(['CPU high', 'Disk low']);
    expect(await found({ matchers: parseMatchers('{alertname="Disk"}') })).toEqual(['Disk high', 'Disk low']);
    expect(await found({ matchers: parseMatchers('{alertname="Disk"}'), state: 'firing', severity: 'low' })).toEqual([
      'Disk low',
    ]);
  });

  it('count an alert whose time is up as resolved, also before anybody has noticed', async () => {
    await hub.post({ labels: { alertname: 'A' } });
    hub.clock.advance(6 * MINUTE);
    expect(await walk({ limit: 5, state: 'firing' })).toEqual([]);
    expect(await walk({ limit: 5, state: 'resolved' })).toMatchObject([{ name: 'A', state: 'resolved' }]);
    expect(await reader.active([])).toEqual([]);
  });

  it('by any matchers find what these match, page by page', async () => {
    const value = fc.constantFrom('a', 'b', undefined);
    const labelSets = fc.uniqueArray(fc.record({ x: value, y: value, alertname: fc.constantFrom('N', 'M') }), {
      selector: (labels) => JSON.stringify(labels),
      maxLength: 12,
    });
    const matcher = fc
      .tuple(
        fc.constantFrom('x', 'y', 'alertname'),
        fc.constantFrom('=', '!=', '=~', '!~'),
        fc.constantFrom('a', '', 'N', 'a|N'),
      )
      .map(([name, operator, text]) => `${name}${operator}"${text}"`);
    await fc.assert(
      fc.asyncProperty(
        labelSets,
        fc.array(matcher, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        async (sets, texts, limit) => {
          await hub.clear();
          const alerts = sets.map((labels) => JSON.parse(JSON.stringify(labels)) as Labels);
          await hub.fire(...alerts);
          const matchers = parseMatchers(`{${texts.join(',')}}`);
          const found = (await walk({ limit, matchers })).map(({ labels }) =>
            JSON.stringify(Object.entries(labels).sort()),
          );
          const wanted = alerts
            .filter((labels) => matchesAll(matchers, labels))
            .map((labels) => JSON.stringify(Object.entries(labels).sort()));
          expect(found.sort()).toEqual(wanted.sort());
          expect(await reader.active(matchers)).toHaveLength(wanted.length);
        },
      ),
      { numRuns: 40 },
    );
  });
});

it('H9: active alerts name their receivers, each once', async () => {
  await hub.fire({ alertname: 'Down', service: 'db' }, { alertname: 'Slow' });
  const active = await reader.active(parseMatchers('{alertname=~".+"}'));
  expect(active.map(({ name, receivers }) => [name, receivers]).sort()).toEqual([
    ['Down', ['dba', 'team']],
    ['Slow', ['team']],
  ]);
});
