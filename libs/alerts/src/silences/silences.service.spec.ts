import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { type Silence } from './silence.js';
import { InvalidSilence, type SilenceRequest } from './silence-request.js';
import { PruneSilencesHandler } from './prune-silences.handler.js';
import { SilencesReader } from './silences-reader.js';
import { SilenceNotFound, SilencesService } from './silences.service.js';

const HOUR = 3_600_000;
const ann = { name: 'user:ann@example.org', client: { address: '192.0.2.7', userAgent: 'amtool/0.33.1' } };
const matchers = [{ name: 'service', operator: '=', value: 'shop' }] as const;

let hub: TestHub;
let silences: SilencesService;
let reader: SilencesReader;
beforeAll(async () => {
  hub = await testHub({ config: 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]' });
  silences = hub.get(SilencesService);
  reader = hub.get(SilencesReader);
});
afterEach(async () => {
  await hub.clear();
  await hub.query('TRUNCATE silences, silence_events');
});
afterAll(() => hub.close());

const request = (change: Partial<SilenceRequest> = {}): SilenceRequest => ({
  ...{ matchers, endsAt: hub.clock.now() + HOUR, createdBy: 'ann', comment: 'moving racks' },
  ...change,
});
const set = (change?: Partial<SilenceRequest>) => silences.set(request(change), ann);
const states = async () => (await reader.all([], 5 * HOUR)).map((silence) => reader.stateOf(silence));
const events = async ({ id }: Silence) => (await reader.events(id)).map(({ type }) => type);

describe('H5: a silence', () => {
  it('is active at once, and expires at its end', async () => {
    const silence = await set();
    expect(silence).toMatchObject({
      startsAt: hub.clock.now(),
      endsAt: hub.clock.now() + HOUR,
      comment: 'moving racks',
    });
    expect(await states()).toEqual(['active']);
    hub.clock.advance(HOUR - 1);
    expect(await states()).toEqual(['active']);
    hub.clock.advance(1);
    expect(await states()).toEqual(['expired']);
  });

  it('waits for its start; a start that has passed is now', async () => {
    await set({ startsAt: hub.clock.now() + HOUR / 2 });
    expect(await states()).toEqual(['pending']);
    expect((await set({ startsAt: hub.clock.now() - HOUR })).startsAt).toBe(hub.clock.now());
  });

  it('that is expired ends now, or never begins; again changes nothing', async () => {
    const [active, pending] = [await set(), await set({ startsAt: hub.clock.now() + HOUR / 2 })];
    hub.clock.advance(1_000);
    const now = hub.clock.now();
    expect(await silences.expire(active.id, ann)).toMatchObject({ startsAt: active.startsAt, endsAt: now });
    expect(await silences.expire(pending.id, ann)).toMatchObject({ startsAt: now, endsAt: now });
    hub.clock.advance(1_000);
    expect((await silences.expire(active.id, ann)).endsAt).toBe(now);
    expect(await events(active)).toEqual(['created', 'expired']);
  });

  it('keeps who did what, when and from where', async () => {
    const silence = await set();
    hub.clock.advance(1_000);
    await silences.set(request({ id: silence.id, startsAt: silence.startsAt, comment: 'longer' }), { name: 'key:ops' });
    const [created, updated] = await reader.events(silence.id);
    expect(created).toMatchObject({ type: 'created', actor: ann.name, ...ann.client, at: '2020-03-01T12:00:00.000Z' });
    expect(created!.data).toMatchObject({ matchers: ['service="shop"'], comment: 'moving racks' });
    expect(updated).toMatchObject({ type: 'updated', actor: 'key:ops', address: null });
    expect(updated!.data).toMatchObject({ comment: 'longer', before: { comment: 'moving racks' } });
  });

  it('that is not there cannot be changed or expired', async () => {
    for (const id of ['nope', '00000000-0000-4000-8000-000000000000']) {
      await expect(set({ id })).rejects.toThrow(SilenceNotFound);
      await expect(silences.expire(id, ann)).rejects.toThrow('silence not found');
    }
  });
});

describe('H5: a change of a silence', () => {
  it('is made in place where the past stays true', async () => {
    const silence = await set({ startsAt: hub.clock.now() });
    hub.clock.advance(60_000);
    const after = await set({ id: silence.id, startsAt: silence.startsAt + 999, comment: 'longer' });
    expect(after).toMatchObject({ id: silence.id, comment: 'longer', endsAt: hub.clock.now() + HOUR });
    expect(await states()).toEqual(['active']);
  });

  it('of a pending one may move its start, but not into the past', async () => {
    const silence = await set({ startsAt: hub.clock.now() + HOUR / 2 });
    const moved = await set({ id: silence.id, startsAt: hub.clock.now() + 1 });
    expect(moved).toMatchObject({ id: silence.id, startsAt: hub.clock.now() + 1 });
    const other = await set({ id: silence.id, startsAt: hub.clock.now() - 1 });
    expect(other.id).not.toBe(silence.id);
    expect(await states()).toEqual(['active', 'expired']);
  });

  it.each([
    ['other matchers', { matchers: [{ name: 'service', operator: '=~', value: 'shop' }] }],
    ['another start of one that has begun', { startsAt: Date.parse('2020-03-01T12:30:00Z') }],
  ] as [string, Partial<SilenceRequest>][])('to %s ends it, and makes a new one', async (_what, change) => {
    const before = await set({ startsAt: hub.clock.now() });
    hub.clock.advance(60_000);
    const after = await set({ id: before.id, startsAt: before.startsAt, ...change });
    expect(after.id).not.toBe(before.id);
    expect(await reader.byId(before.id)).toMatchObject({ startsAt: before.startsAt, endsAt: hub.clock.now() });
    const [, ended] = await reader.events(before.id);
    expect(ended).toMatchObject({ type: 'expired', data: { replacedBy: after.id } });
    expect((await reader.events(after.id))[0]).toMatchObject({ type: 'created', data: { replaces: before.id } });
  });

  it('of one that is over makes a new one and leaves the old as it was', async () => {
    const before = await set();
    hub.clock.advance(2 * HOUR);
    const after = await set({ id: before.id, startsAt: before.startsAt });
    expect(after.startsAt).toBe(hub.clock.now());
    expect(await reader.byId(before.id)).toEqual(before);
  });

  it('is one of several at the same time, and none is lost', async () => {
    const silence = await set({ startsAt: hub.clock.now() });
    const changes = Array.from({ length: 8 }, (_, number) =>
      set({ id: silence.id, startsAt: silence.startsAt, comment: `${number}` }),
    );
    await Promise.all([...changes, ...Array.from({ length: 8 }, () => set())]);
    expect(await events(silence)).toEqual(['created', ...Array.from({ length: 8 }, () => 'updated')]);
    expect(await states()).toHaveLength(9);
  });
});

describe('H5: a silence that makes no sense', () => {
  const matcher = (operator: '=' | '!=' | '=~' | '!~', value: string, name = 'a') => ({ name, operator, value });
  it.each([
    [{ matchers: [] }, '/matchers', 'at least one matcher required'],
    [
      { matchers: [matcher('=', '')] },
      '/matchers',
      'invalid silence: matcher set 0: at least one matcher must not match the empty string',
    ],
    [{ matchers: [matcher('=~', '.*'), matcher('=', '')] }, '/matchers', 'must not match the empty string'],
    [
      { matchers: [matcher('=', 'x', '')] },
      '/matchers/0',
      'invalid silence: invalid label matcher 0 in set 0: invalid label name ""',
    ],
    [
      { matchers: [matcher('=', 'x'), matcher('=~', '(')] },
      '/matchers/1',
      'invalid label matcher 1 in set 0: invalid regular expression "(": error parsing regexp: missing closing ): `(`',
    ],
    [{ matchers: [matcher('=', '\u0000')] }, '/matchers/0', 'NUL'],
    [{ matchers: Array.from({ length: 101 }, () => matcher('=', 'x')) }, '/matchers', '100 are allowed'],
    [{ endsAt: 0 }, '/endsAt', "Failed to create silence: end time can't be in the past"],
    [{ startsAt: 9e12, endsAt: 8e12 }, '/endsAt', 'Failed to create silence: start time must be before end time'],
    [{ comment: 'a\ud800' }, '/comment', 'surrogate'],
    [{ createdBy: 'x'.repeat(257) }, '/createdBy', '256 are allowed'],
    [{ annotations: { 'a/b': '\u0000' } }, '/annotations/a~1b', 'NUL'],
  ] as [Partial<SilenceRequest>, string, string][])('is refused: %j', async (change, pointer, message) => {
    const error = await set(change).catch((fault: unknown) => fault as InvalidSilence);
    expect(error).toBeInstanceOf(InvalidSilence);
    expect((error as InvalidSilence).faults.map((fault) => fault.pointer)).toEqual([pointer]);
    expect((error as InvalidSilence).message).toContain(message);
    expect(await states()).toEqual([]);
  });

  it('but one that only excludes makes sense, as in Alertmanager', async () => {
    await set({ matchers: [matcher('!=', 'x')] });
    await set({ matchers: [matcher('!~', 'x.*'), matcher('=', '')] });
    expect(await states()).toEqual(['active', 'active']);
  });
});

describe('H5: the list of silences', () => {
  it('has the order of Alertmanager, and forgets expired ones after a time', async () => {
    const now = hub.clock.now();
    const wanted = [
      { endsAt: now + 1 * HOUR, comment: 'gone' },
      { endsAt: now + 9 * HOUR, comment: 'second' },
      { endsAt: now + 8 * HOUR, comment: 'first' },
      { startsAt: now + 20 * HOUR, endsAt: now + 30 * HOUR, comment: 'fourth' },
      { startsAt: now + 19 * HOUR, endsAt: now + 40 * HOUR, comment: 'third' },
      { endsAt: now + 2 * HOUR, comment: 'sixth' },
      { endsAt: now + 3 * HOUR, comment: 'fifth' },
    ];
    for (const each of wanted) await set(each);
    hub.clock.advance(5 * HOUR);
    const comments = (await reader.all([], 4 * HOUR)).map(({ comment }) => comment);
    expect(comments).toEqual(['first', 'second', 'third', 'fourth', 'fifth', 'sixth']);
  });

  it('comes in pages, the latest first, by state and by matchers', async () => {
    const made: string[] = [];
    for (let number = 0; number < 7; number++) {
      const operator = number % 2 === 0 ? '=' : '=~';
      made.unshift((await set({ matchers: [...matchers, { name: 'n', operator, value: '1' }] })).id);
    }
    const seen: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await reader.page({ state: 'active', limit: 3, before });
      seen.push(...page.silences.map(({ id }) => id));
      if (!page.next) break;
      before = page.next;
    }
    expect(seen).toEqual(made);
    const [one] = (await reader.page({ limit: 1 })).silences;
    expect((await reader.page({ limit: 9, matchers: [one!.matchers[1]!] })).silences).toHaveLength(4);
    expect((await reader.page({ limit: 9, state: 'expired' })).silences).toEqual([]);
  });

  it('loses, with their events, those that have been over for longer than the history is kept', async () => {
    const old = await set();
    hub.clock.advance(50 * 24 * HOUR);
    const later = await set();
    hub.clock.advance(41 * 24 * HOUR);
    await hub.get(PruneSilencesHandler).handle({}, { signal: new AbortController().signal });
    expect(await reader.byId(old.id)).toBeUndefined();
    expect(await events(old)).toEqual([]);
    expect(await events(later)).toEqual(['created']);
  });
});
