import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Database, type Queryable } from 'eyrie/database';
import { eventually } from '../../../../test/harness/eventually.js';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { LOCK_EMPTY, REAP } from '../dispatch/statements.js';

const config = `
route:
  receiver: all
  group_wait: 30s
  group_interval: 5m
  routes:
    - { matchers: [team="x"], receiver: x, group_by: [service], continue: true }
    - { matchers: [severity="critical"], receiver: pager, group_by: ['...'], continue: true }
    - { matchers: [team=~"x|y"], receiver: y, group_by: [team] }
    - { matchers: [kind="hasty"], receiver: hasty, group_wait: 0s }
receivers:
${['all', 'x', 'y', 'pager', 'hasty'].map((name) => `  - { name: ${name}, webhook_configs: [{ url: 'http://127.0.0.1:9/' }] }`).join('\n')}
`;
const SECOND = 1_000;
const MINUTE = 60_000;
const a = { alertname: 'A' };
const b = { alertname: 'B' };

let hub: TestHub;
let other: TestHub;
beforeAll(async () => {
  hub = await testHub({ config });
  other = await testHub({ config, beside: hub });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await hub.clear();
});
afterAll(async () => {
  await other.close();
  await hub.close();
});

const groups = async () =>
  (await hub.query<{ key: string }>(`SELECT key FROM alert_groups ORDER BY key`)).map(({ key }) => key);

describe('H4: the groups that an alert joins', () => {
  it('one of each route that it takes, with `continue`, named as Alertmanager names them', async () => {
    await hub.fire({ alertname: 'Down', team: 'x', service: 'shop', severity: 'critical' });
    expect(await groups()).toEqual([
      '{}/{severity="critical"}:{alertname="Down", service="shop", severity="critical", team="x"}',
      '{}/{team="x"}:{service="shop"}',
      '{}/{team=~"x|y"}:{team="x"}',
    ]);
    await hub.pass(30 * SECOND, 30 * SECOND);
    expect((await hub.told()).map((line) => /s (\w+):/.exec(line)![1])).toEqual(['pager', 'x', 'y']);
  });

  it('that of the parent where no child matches', async () => {
    await hub.fire({ alertname: 'Down', team: 'z' });
    expect(await groups()).toEqual(['{}:{}']);
  });

  it('the same as others with the same labels of group_by, also without one of them', async () => {
    await hub.fire(
      { alertname: 'A', team: 'x', service: 'shop' },
      { alertname: 'B', team: 'x', service: 'shop' },
      { alertname: 'C', team: 'x' },
    );
    expect(await groups()).toEqual([
      '{}/{team="x"}:{service="shop"}',
      '{}/{team="x"}:{}',
      '{}/{team=~"x|y"}:{team="x"}',
    ]);
    const [members] = await hub.query(`SELECT count(*)::int AS count FROM group_alerts`);
    expect(members).toEqual({ count: 6 });
  });
});

/** Runs `meanwhile` after all work of the next transaction of a hub, before its commit. */
function beforeCommit(of: TestHub, meanwhile: () => Promise<void>): void {
  const database = of.get(Database);
  const transaction = database.transaction.bind(database);
  const once = async <T>(work: (tx: Queryable) => Promise<T>): Promise<T> =>
    transaction(async (tx) => {
      const result = await work(tx);
      await meanwhile();
      return result;
    });
  jest.spyOn(database, 'transaction').mockImplementationOnce(once);
}

/** Reaps the groups that are empty, and commits when `meanwhile` is done. */
async function reapSlowly(meanwhile: () => Promise<void>): Promise<void> {
  await hub.get(Database).transaction(async (tx) => {
    const rows = await tx.query<{ id: string }>(`SELECT id FROM alert_groups`);
    const ids = rows.map(({ id }) => id);
    expect(await tx.query(LOCK_EMPTY, [ids])).toHaveLength(1);
    await tx.query(REAP, [ids]);
    await meanwhile();
  });
}

const someoneWaits = async () =>
  (await hub.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
    .length > 0;

describe('H1: an alert that joins a group while it is being reaped', () => {
  /** A group that stands empty. `a` has an episode that is over. */
  async function emptyGroup(): Promise<void> {
    await hub.fire(a);
    await hub.resolve(a);
    await hub.query(`DELETE FROM group_alerts`);
  }

  it('comes first: the reaper lets the group stand', async () => {
    await emptyGroup();
    hub.clock.advance(30 * SECOND);
    beforeCommit(other, () => hub.flush());
    await other.post({ labels: a, startsAt: hub.clock.now(), endsAt: hub.clock.now() + 60 * MINUTE });
    expect(await hub.query(`SELECT FROM alert_groups JOIN group_alerts ON group_id = id`)).toHaveLength(1);
    await hub.pass(5 * MINUTE, 30 * SECOND);
    expect(await hub.told()).toContainEqual(expect.stringContaining('all: A (first notification)'));
  });

  it.each([
    ['a new alert', b],
    ['one that is known', a],
  ])('comes second, %s: it waits for the reaper and makes the group anew', async (_title, labels) => {
    await emptyGroup();
    hub.clock.advance(SECOND);
    let posted: Promise<void> | undefined;
    await reapSlowly(async () => {
      posted = hub.fire(labels);
      await eventually(someoneWaits);
    });
    await posted;
    expect(await hub.query(`SELECT FROM alert_groups JOIN group_alerts ON group_id = id`)).toHaveLength(1);
    await hub.pass(30 * SECOND, 30 * SECOND);
    expect(await hub.told()).toEqual([`31s all: ${labels.alertname} (first notification)`]);
  });
});

describe('H1: an alert whose groups come and go while it is being stored', () => {
  const labels = { alertname: 'New', team: 'x', service: 'shop' };
  const COLUMNS = 'id, key, route, labels, next_flush_at';

  /** Makes a group in a transaction that ends when `meanwhile` has; that gets a question: does anybody wait for it? */
  async function makeSlowly(id: string, meanwhile: (isWaitedFor: () => Promise<boolean>) => Promise<void>) {
    await hub.get(Database).transaction(async (tx) => {
      await tx.query(`INSERT INTO alert_groups (${COLUMNS}) SELECT ${COLUMNS} FROM group_copies WHERE id = $1`, [id]);
      const [own] = await tx.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
      const waiting = `SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))`;
      await meanwhile(async () => (await hub.query(waiting, [own!.pid])).length > 0);
    });
  }

  it('stands in all of them, also when one is reaped while another is being made', async () => {
    await hub.fire(labels);
    await hub.query(`CREATE TABLE group_copies AS SELECT ${COLUMNS} FROM alert_groups`);
    await hub.query(`TRUNCATE alerts, alert_groups, group_alerts`);
    const [first, second] = await hub.query<{ id: string }>(`SELECT id FROM group_copies ORDER BY id`);

    let posted: Promise<void> | undefined;
    await makeSlowly(second!.id, async (waitsForSecond) => {
      await makeSlowly(first!.id, async (waitsForFirst) => {
        posted = other.fire(labels);
        await eventually(waitsForFirst);
      });
      await eventually(waitsForSecond); // and has found the first, which is empty yet
      await reapSlowly(() => Promise.resolve());
    });
    await posted;
    await hub.query(`DROP TABLE group_copies`);
    const joined = await hub.query(
      `SELECT grp.id FROM alert_groups grp JOIN group_alerts ON group_id = grp.id JOIN alerts ON alert_id = alerts.id
       ORDER BY grp.id`,
    );
    expect(joined).toEqual([{ id: first!.id }, { id: second!.id }]);
  });
});

describe('H4: what an episode that follows another has to wait for', () => {
  it('is told at once with group_wait 0, also while a dispatcher looks for due groups', async () => {
    const labels = { alertname: 'Flaps', kind: 'hasty' };
    await hub.fire(labels);
    await hub.flush();
    await hub.resolve(labels);
    await hub.pass(5 * MINUTE, MINUTE);
    // The other hub does not know this alert yet, and first takes it for a new one.
    beforeCommit(other, () => hub.flush());
    await other.fire(labels);
    await hub.flush();
    expect((await hub.told()).at(-1)).toMatch(/^300s hasty: Flaps /);
  });
});
