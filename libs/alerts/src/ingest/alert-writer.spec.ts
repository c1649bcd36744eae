import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Database } from 'eyrie/database';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';

const config = `
route: { receiver: team, group_by: [service] }
receivers: [{ name: team, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] }]`;
const MINUTE = 60_000;
const a = { alertname: 'A', service: 'shop' };
const b = { alertname: 'B', service: 'shop' };

let hub: TestHub;
beforeAll(async () => {
  hub = await testHub({ config });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await hub.clear();
});
afterAll(() => hub.close());

interface Row {
  name: string;
  state: string;
  current: boolean;
  occurrences: number;
  from: number;
  to: number;
}

/** Episodes in the order in which they came, with times in seconds since now. */
async function episodes(): Promise<Row[]> {
  return hub.query<Row>(
    `SELECT name, state, current, occurrences::int, extract(epoch FROM starts_at)::float8 - $1 AS from,
       extract(epoch FROM ends_at)::float8 - $1 AS to
     FROM alerts ORDER BY received_at, name, id`,
    [hub.clock.now() / 1000],
  );
}

const events = async () =>
  (await hub.query<{ type: string }>(`SELECT type FROM alert_events ORDER BY id`)).map(({ type }) => type);

describe('H3: episodes in the database', () => {
  it('stores an alert once however often it comes, counts it, and writes down that it fired', async () => {
    for (let post = 0; post < 3; post++) await hub.fire(a, b);
    expect((await episodes()).map(({ name, occurrences }) => [name, occurrences])).toEqual([
      ['A', 3],
      ['B', 3],
    ]);
    expect(await events()).toEqual(['fired', 'fired']);
  });

  it('a start after the end is another episode, and the history keeps both', async () => {
    await hub.fire(a);
    hub.clock.advance(MINUTE);
    await hub.resolve(a);
    hub.clock.advance(MINUTE);
    await hub.fire(a);
    expect(await episodes()).toMatchObject([
      { state: 'resolved', current: false, from: -120, to: -60 },
      { state: 'firing', current: true, from: 0 },
    ]);
    expect(await events()).toEqual(['fired', 'resolved', 'fired']);
  });

  it('reopens an episode whose end was said too early', async () => {
    const startsAt = hub.clock.now();
    await hub.fire(a);
    hub.clock.advance(MINUTE);
    await hub.resolve(a);
    hub.clock.advance(MINUTE);
    await hub.post({ labels: a, startsAt, endsAt: hub.clock.now() + MINUTE });
    expect(await episodes()).toMatchObject([{ state: 'firing', from: -120, to: 60, occurrences: 3 }]);
    expect(await events()).toEqual(['fired', 'resolved', 'reopened']);
  });

  it('an alert nobody sent again is over: the next is another episode', async () => {
    await hub.post({ labels: a });
    hub.clock.advance(6 * MINUTE);
    await hub.post({ labels: a });
    expect(await episodes()).toMatchObject([
      { state: 'resolved', current: false, from: -360, to: -60 },
      { state: 'firing', current: true, from: 0, to: 300 },
    ]);
    expect(await events()).toEqual(['fired', 'expired', 'fired']);
  });

  it('each post without an end renews resolve_timeout', async () => {
    for (let post = 0; post < 4; post++) {
      await hub.post({ labels: a });
      hub.clock.advance(4 * MINUTE);
    }
    expect(await episodes()).toMatchObject([{ state: 'firing', from: -960, to: 60, occurrences: 4 }]);
  });

  it('an end that was said outlives posts without one', async () => {
    await hub.post({ labels: a, endsAt: hub.clock.now() + 60 * MINUTE });
    for (let post = 0; post < 3; post++) await hub.post({ labels: a });
    expect(await episodes()).toMatchObject([{ to: 3600 }]);
    hub.clock.advance(59 * MINUTE);
    await hub.post({ labels: a });
    expect(await episodes()).toMatchObject([{ to: 300, occurrences: 5 }]);
  });

  it('an end keeps the annotations of the alert, unless it brings its own', async () => {
    const said = async () => (await hub.query(`SELECT annotations FROM alerts`))[0]!['annotations'];
    await hub.post({ labels: a, annotations: { summary: 'it burns' } });
    await hub.resolve(a);
    expect(await said()).toEqual({ summary: 'it burns' });
    await hub.post({ labels: a, annotations: { summary: 'it is out' }, endsAt: hub.clock.now() });
    expect(await said()).toEqual({ summary: 'it is out' });
  });

  it('stores the largest alert that may come in, also when it began long ago', async () => {
    const random = (length: number) =>
      Array.from({ length }, () => String.fromCharCode(0x4e00 + Math.floor(Math.random() * 20_000))).join('');
    const labels = Object.fromEntries(Array.from({ length: 127 }, (_, index) => [`l${index}`, random(4_096)]));
    await hub.post({
      labels: { ...labels, alertname: random(512) },
      annotations: { text: random(65_536) },
      startsAt: Date.parse('0000-01-01T00:00:00Z'),
    });
    await hub.flush();
    expect(await episodes()).toMatchObject([{ state: 'firing' }]);
    expect(await hub.told()).toHaveLength(1);
  });

  it('other annotations are a change of the same episode', async () => {
    await hub.post({ labels: a, annotations: { value: '1' } });
    await hub.post({ labels: a, annotations: { value: '2' } });
    expect(await episodes()).toMatchObject([{ occurrences: 2 }]);
    expect(await events()).toEqual(['fired', 'changed']);
  });
});

describe('H3: occurrences are exact', () => {
  it('when one request names an alert several times, and several requests do at once', async () => {
    const alert = { labels: a, startsAt: hub.clock.now(), endsAt: hub.clock.now() + MINUTE };
    await Promise.all(Array.from({ length: 50 }, () => hub.post(alert, alert, { ...alert, labels: b })));
    expect((await episodes()).map(({ name, occurrences }) => [name, occurrences]).sort()).toEqual([
      ['A', 100],
      ['B', 50],
    ]);
  });

  it.each([3, 20])(
    'and starts, ends and words are its own, for each of %i alerts that are sent again together',
    async (many) => {
      const alerts = Array.from({ length: many }, (_, index) => ({
        labels: { alertname: `A${10 + index}` },
        annotations: { summary: `of ${index}` },
        startsAt: hub.clock.now() - index * MINUTE,
        endsAt: hub.clock.now() + MINUTE,
      }));
      await hub.post(...alerts);
      const transactions = jest.spyOn(hub.get(Database), 'transaction');
      await hub.post(
        ...alerts.flatMap((alert, index) =>
          Array.from({ length: index + 1 }, () => ({ ...alert, endsAt: alert.endsAt + index * MINUTE })),
        ),
      );
      expect(transactions).not.toHaveBeenCalled();
      transactions.mockRestore();
      expect((await episodes()).map(({ name, occurrences, to }) => [name, occurrences, to])).toEqual(
        alerts.map(({ labels }, index) => [labels.alertname, index + 2, 60 * (index + 1)]),
      );
    },
  );

  it('when a transaction has to run again because it lost against another', async () => {
    await hub.fire(a, b);
    const database = hub.get(Database);
    jest.spyOn(database, 'transaction').mockRejectedValueOnce(Object.assign(new Error('deadlock'), { code: '40P01' }));
    // The first only repeats, the second needs the transaction.
    await hub.post(
      { labels: a, startsAt: hub.clock.now(), endsAt: hub.clock.now() + MINUTE },
      { labels: b, annotations: { other: 'words' } },
    );
    expect((await episodes()).map(({ name, occurrences }) => [name, occurrences])).toEqual([
      ['A', 2],
      ['B', 2],
    ]);
  });
});

it('H1: an alert whose transaction failed was not taken', async () => {
  jest.spyOn(hub.get(Database), 'query').mockRejectedValueOnce(new Error('PostgreSQL is gone'));
  await expect(hub.fire(a)).rejects.toThrow('PostgreSQL is gone');
  expect(await episodes()).toEqual([]);
});

describe('H1: two hubs that write the same alerts at once', () => {
  let other: TestHub;
  beforeAll(async () => {
    other = await testHub({ config, beside: hub });
  });
  afterAll(() => other.close());

  it('open one episode each, and lose no occurrence, and no deadlock comes out', async () => {
    const now = hub.clock.now();
    const alerts = Array.from({ length: 100 }, (_, index) => ({
      labels: { alertname: `A${index}`, service: `s${index % 7}` },
      startsAt: now,
      endsAt: now + MINUTE,
    }));
    const rounds = Array.from({ length: 10 }, (_, round) =>
      [hub, other].map((one) => one.post(...(round % 2 ? alerts : alerts.toReversed()))),
    );
    await Promise.all(rounds.flat());
    const rows = await episodes();
    expect(rows).toHaveLength(100);
    expect(rows.every(({ occurrences }) => occurrences === 20)).toBe(true);
    expect((await events()).every((type) => type === 'fired')).toBe(true);
    expect(await events()).toHaveLength(100);
    const [members] = await hub.query(`SELECT count(*)::int AS count FROM group_alerts`);
    expect(members).toEqual({ count: 100 });
  });

  it('agree when they fire, end and change the same alerts in any order', async () => {
    const now = hub.clock.now();
    const posts = Array.from({ length: 30 }, (_, index) => {
      const labels = { alertname: `A${index % 5}`, service: 'shop' };
      const kind = index % 3;
      if (kind === 0) return { labels, startsAt: now - MINUTE, endsAt: now + MINUTE };
      if (kind === 1) return { labels, startsAt: now - MINUTE, annotations: { round: String(index) } };
      return { labels, startsAt: now - MINUTE, endsAt: now };
    });
    await Promise.all([hub, other].flatMap((one) => posts.map((post) => one.post(post))));
    const rows = await episodes();
    expect(rows.map(({ name }) => name).sort()).toEqual(['A0', 'A1', 'A2', 'A3', 'A4']);
    expect(rows.every(({ occurrences, from }) => occurrences === 12 && from === -60)).toBe(true);
  });

  it('one that falls behind in knowledge does not disturb: an end from one, a repeat from the other', async () => {
    await hub.fire(a);
    await other.post({ labels: a, startsAt: hub.clock.now(), endsAt: hub.clock.now() + MINUTE });
    hub.clock.advance(1_000);
    await hub.resolve(a);
    hub.clock.advance(1_000);
    await other.fire(a);
    expect((await episodes()).map(({ state }) => state)).toEqual(['resolved', 'firing']);
  });
});
