import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from 'eyrie/database';
import fc from 'fast-check';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { fingerprint, matchesAll, type Labels, type MatchOperator } from '../config/index.js';
import { SilenceIndex } from './silence-index.js';
import { type SilenceRequest } from './silence-request.js';
import { SilencesReader } from './silences-reader.js';
import { SilencesService } from './silences.service.js';

const HOUR = 3_600_000;
const me = { name: 'test' };
let hub: TestHub;
let index: SilenceIndex;
beforeAll(async () => {
  hub = await testHub({ config: 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]' });
});
beforeEach(async () => {
  hub.clock.reset();
  await hub.query('TRUNCATE silences, silence_events');
  index = new SilenceIndex();
});
afterAll(() => hub.close());

const set = (matchers: SilenceRequest['matchers'], change: Partial<SilenceRequest> = {}) =>
  hub
    .get(SilencesService)
    .set({ ...{ matchers, endsAt: hub.clock.now() + HOUR, createdBy: '', comment: '' }, ...change }, me);
const is = (name: string, value: string, operator: MatchOperator = '=') => ({ name, operator, value });
const alertOf = (labels: Labels) => ({ labels, fingerprint: String(fingerprint(labels).value) });

async function silencing(labels: Labels): Promise<string[]> {
  await index.catchUp(hub.get(Database), hub.clock.now());
  return index.silencing(alertOf(labels), hub.clock.now());
}

describe('H5: the silences in memory', () => {
  it('follow each change that was committed before', async () => {
    const first = await set([is('a', '1')]);
    expect(await silencing({ a: '1' })).toEqual([first.id]);
    const second = await set([is('b', '2', '=~'), is('a', '', '!=')]);
    expect(await silencing({ a: '1', b: '2' })).toEqual([first.id, second.id].sort());
    hub.clock.advance(1);
    await hub.get(SilencesService).expire(first.id, me);
    expect(await silencing({ a: '1', b: '2' })).toEqual([second.id]);
    expect(index.size).toBe(1);
  });

  it('hold from their start to their end, without a word from anybody', async () => {
    const silence = await set([is('a', '1')], { startsAt: hub.clock.now() + 1_000 });
    expect(await silencing({ a: '1' })).toEqual([]);
    hub.clock.advance(1_000);
    expect(await silencing({ a: '1' })).toEqual([silence.id]);
    hub.clock.advance(HOUR - 1_001);
    expect(await silencing({ a: '1' })).toEqual([silence.id]);
    hub.clock.advance(1);
    expect(await silencing({ a: '1' })).toEqual([]);
  });

  it('let go of what has expired', async () => {
    for (let number = 0; number < 20; number++) await set([is('a', `${number}`)]);
    await silencing({});
    expect(index.size).toBe(20);
    hub.clock.advance(2 * HOUR);
    await silencing({});
    expect(index.size).toBe(0);
  });

  it('begin anew when the database was restored to an earlier state', async () => {
    await set([is('a', '1')]);
    expect(await silencing({ a: '1' })).toHaveLength(1);
    await hub.query('TRUNCATE silences');
    await hub.query('UPDATE silences_revision SET revision = revision - 1');
    expect(await silencing({ a: '1' })).toEqual([]);
  });

  it('are missed by nobody while many change them at once', async () => {
    const changes = Array.from({ length: 30 }, (_, number) => set([is('n', `${number}`)]));
    const reads = Array.from({ length: 30 }, () => index.catchUp(hub.get(Database), hub.clock.now()));
    await Promise.all([...changes, ...reads]);
    for (let number = 0; number < 30; number++) expect(await silencing({ n: `${number}` })).toHaveLength(1);
  });

  it('are those that a look at each of them finds', async () => {
    const name = fc.constantFrom('a', 'b', 'alertname');
    const matcher = fc.record({
      name,
      operator: fc.constantFrom<MatchOperator>('=', '!=', '=~', '!~'),
      value: fc.constantFrom('1', '2', '', '1|2', '.+', '1.*', '2?'),
    });
    const labels = fc.dictionary(name, fc.constantFrom('1', '2', '3'), { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(matcher, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        fc.array(labels, { minLength: 1, maxLength: 8 }),
        async (all, alerts) => {
          for (const matchers of all) await set(matchers).catch(() => undefined);
          const made = (await hub.get(SilencesReader).page({ limit: 1_000 })).silences;
          for (const alert of [...alerts, ...alerts]) {
            const wanted = made.filter(({ matchers }) => matchesAll(matchers, alert)).map(({ id }) => id);
            expect(await silencing(alert)).toEqual(wanted.sort());
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('H5: 10,000 silences', () => {
  it('cost a flush of 1,000 alerts a few milliseconds, whatever they match by, also after a change', async () => {
    await hub.query(
      `INSERT INTO silences (matchers, starts_at, ends_at, created_by, comment, annotations, updated_at, revision)
       SELECT jsonb_build_array(CASE n % 3
           WHEN 0 THEN jsonb_build_object('name', 'alertname', 'operator', '=', 'value', 'Other' || n)
           WHEN 1 THEN jsonb_build_object('name', 'instance', 'operator', '=~', 'value', 'host-' || n || '[.]test:.+')
           ELSE jsonb_build_object('name', 'team', 'operator', '=', 'value', 'db') END,
         jsonb_build_object('name', 'host', 'operator', CASE n % 3 WHEN 1 THEN '!=' ELSE '=' END,
           'value', CASE n % 3 WHEN 1 THEN '' ELSE 'h' || n END)),
         to_timestamp($1), to_timestamp($1) + interval '1 day', '', '', '{}', to_timestamp($1), revision
       FROM generate_series(1, 10000) n, silences_revision`,
      [hub.clock.now() / 1000],
    );
    await silencing({});
    expect(index.size).toBe(10_000);
    const alerts = Array.from({ length: 1_000 }, (_, number) =>
      alertOf({ alertname: 'Slow', team: 'db', host: `h${number}`, instance: `host-${number}.test:9100` }),
    );
    const pass = () => {
      const started = performance.now();
      const silenced = alerts.filter((alert) => index.silencing(alert, hub.clock.now()).length > 0).length;
      return { silenced, took: performance.now() - started };
    };
    const first = pass();
    // Those by team, and those by instance; the first third is of another name.
    expect(first.silenced).toBe(666);
    const changed: number[] = [];
    for (let change = 0; change < 4; change++) {
      await set([is('team', 'db')]);
      await silencing({});
      const { silenced, took } = pass();
      expect(silenced).toBe(1_000);
      changed.push(took);
    }
    const unchanged = Array.from({ length: 5 }, () => pass().took);
    // The quickest of several, as the machine may do something else meanwhile; comparing each with each takes seconds.
    expect(Math.min(...changed)).toBeLessThan(100);
    expect(Math.min(...unchanged)).toBeLessThan(20);
    expect(first.took).toBeLessThan(3_000);
  });
});
