import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsReader } from '../query/alerts-reader.js';
import { AlertActions, AlertEnded, AlertNotFound } from './alert-actions.js';
import { AuditLog } from './audit-log.js';
import { type Requester } from './requester.js';

const DISK = { alertname: 'Disk' };
const CPU = { alertname: 'Cpu' };
const ann: Requester = { actor: 'user:ann@example.org', address: '192.0.2.1', userAgent: 'browser', requestId: 'r-1' };
const bob: Requester = { actor: 'user:bob@example.org' };
const minutes = (count: number) => count * 60_000;

let hub: TestHub;
let actions: AlertActions;
beforeAll(async () => {
  hub = await testHub({
    config: `
route: { receiver: team, group_by: ['x'], group_wait: 10s, group_interval: 1m, repeat_interval: 5m }
receivers: [{ name: team, webhook_configs: [{ url: 'http://localhost:1/' }] }]`,
  });
  actions = hub.get(AlertActions);
});
afterEach(() => hub.clear());
afterAll(() => hub.close());

async function idOf(labels = DISK): Promise<string> {
  const rows = await hub.query<{ id: string }>('SELECT id FROM alerts WHERE name = $1 AND current', [labels.alertname]);
  return rows[0]!.id;
}

async function fired(labels = DISK): Promise<string> {
  await hub.fire(labels);
  return idOf(labels);
}

const events = async (id: string) =>
  (await hub.get(AlertsReader).events(id)).map(({ type, actor, data }) => ({ type, actor, data }));
const audited = async () => (await hub.get(AuditLog).page({ limit: 100 })).entries;

describe('H6: who acknowledges an alert', () => {
  it('H6: is shown, with who, when and from where in its history and in the audit log', async () => {
    const id = await fired();
    hub.clock.advance(minutes(1));
    const at = new Date(START + minutes(1)).toISOString();
    const said = { acknowledgedBy: ann.actor, acknowledgedAt: at, snoozedUntil: null };
    expect(await actions.acknowledge(id, ann, 'looking')).toEqual({ id, state: 'firing', ...said });
    expect(await hub.get(AlertsReader).byId(id)).toMatchObject(said);
    const { actor, ...from } = ann;
    expect((await events(id)).at(-1)).toEqual({ type: 'acknowledged', actor, data: { text: 'looking', ...from } });
    expect(await audited()).toEqual([
      {
        id: expect.any(String),
        at,
        ...ann,
        action: 'alert.acknowledged',
        subject: `alert:${id}`,
        data: { text: 'looking' },
      },
    ]);
  });

  it('H6: may ask twice: nothing is said twice; another takes over', async () => {
    const id = await fired();
    await actions.acknowledge(id, ann, 'looking');
    await actions.acknowledge(id, ann, 'looking');
    await actions.acknowledge(id, ann);
    expect(await audited()).toHaveLength(1);
    expect(await actions.acknowledge(id, bob)).toMatchObject({ acknowledgedBy: bob.actor });
    expect(await audited()).toHaveLength(2);
    expect(await actions.unacknowledge(id, ann)).toMatchObject({ acknowledgedBy: null, acknowledgedAt: null });
    await actions.unacknowledge(id, ann);
    expect(await audited()).toHaveLength(3);
  });

  it('H6: counts once when two ask at the same moment', async () => {
    const id = await fired();
    await Promise.all(Array.from({ length: 8 }, () => actions.acknowledge(id, ann, 'me')));
    expect(await audited()).toHaveLength(1);
  });

  it('H6: hears no reminders of it, but of what is new in its group, and of the end', async () => {
    const id = await fired();
    await hub.pass(10_000);
    await actions.acknowledge(id, ann);
    await hub.pass(minutes(20));
    expect(await hub.told()).toEqual(['10s team: Disk (first notification)']);
    await hub.fire(CPU);
    await hub.pass(minutes(1));
    expect((await hub.told()).slice(1)).toEqual([expect.stringMatching(/team: Cpu Disk \(new alerts added\)$/)]);
    await hub.pass(minutes(10));
    // Nobody takes care of the other one.
    expect((await hub.told()).at(-1)).toMatch(/team: Cpu Disk \(repeat interval elapsed\)$/);
    await hub.resolve(DISK, CPU);
    await hub.pass(minutes(1));
    expect((await hub.told()).at(-1)).toMatch(/team: resolved Cpu Disk \(all alerts resolved\)$/);
  });

  it('H6: takes care of this episode only: what is reopened, or fires anew, is nobody’s', async () => {
    const id = await fired();
    await actions.acknowledge(id, ann);
    hub.clock.advance(minutes(1));
    await hub.post({ labels: DISK, startsAt: START, endsAt: hub.clock.now() });
    expect(await actions.attention(id)).toMatchObject({ state: 'resolved', acknowledgedBy: null });
    await hub.post({ labels: DISK, startsAt: START, endsAt: hub.clock.now() + minutes(5) });
    expect(await actions.attention(id)).toMatchObject({ state: 'firing', acknowledgedBy: null });
    // Also when the time of it is up.
    await actions.acknowledge(id, ann);
    await hub.pass(minutes(7), 30_000);
    expect(await hub.query('SELECT state, acknowledged_by FROM alerts')).toEqual([
      { state: 'resolved', acknowledged_by: null },
    ]);
  });

  it('H6: is told when it is over, or was never there', async () => {
    const id = await fired();
    await hub.resolve(DISK);
    await expect(actions.acknowledge(id, ann)).rejects.toThrow(AlertEnded);
    await expect(actions.snooze(id, ann, hub.clock.now() + minutes(1))).rejects.toThrow(AlertEnded);
    await actions.unacknowledge(id, ann);
    await actions.resolve(id, ann);
    expect(await audited()).toEqual([]);
    const nowhere = '0198c1a2-0000-7000-8000-000000000001';
    await expect(actions.comment(nowhere, ann, 'x')).rejects.toThrow(AlertNotFound);
    expect(await actions.attention(nowhere)).toBeUndefined();
  });
});

describe('H6: who comments', () => {
  it('H6: may do so after the end, and a request that is sent again says nothing new', async () => {
    const id = await fired();
    await hub.resolve(DISK);
    for (const text of ['it was the log', 'it was the log', 'fixed', 'it was the log'])
      await actions.comment(id, ann, text);
    const comments = (await events(id)).filter(({ type }) => type === 'commented');
    expect(comments.map(({ data }) => (data as { text: string }).text)).toEqual([
      'it was the log',
      'fixed',
      'it was the log',
    ]);
  });
});

describe('H6: who resolves by hand', () => {
  it('H6: ends the episode for all who were told; a sender who knows better reopens it', async () => {
    const id = await fired();
    await hub.pass(10_000);
    expect(await actions.resolve(id, ann, 'a drill')).toMatchObject({ state: 'resolved' });
    await actions.resolve(id, ann, 'a drill');
    await hub.pass(minutes(1));
    expect(await hub.told()).toEqual([
      '10s team: Disk (first notification)',
      '70s team: resolved Disk (all alerts resolved)',
    ]);
    await hub.fire(DISK);
    expect(await idOf()).toBe(id);
    expect((await events(id)).map(({ type, actor }) => `${type} ${actor}`)).toEqual([
      'fired test',
      `resolved ${ann.actor}`,
      'reopened test',
    ]);
    await hub.pass(10_000);
    expect((await hub.told()).at(-1)).toBe('71s team: Disk (new alerts added)');
  });
});

describe('H6: who snoozes', () => {
  it('H6: hears nothing of the alert until the time has come, then of what fires still', async () => {
    const id = await fired();
    const until = START + minutes(10);
    expect(await actions.snooze(id, ann, until)).toMatchObject({ snoozedUntil: new Date(until).toISOString() });
    await actions.snooze(id, ann, until);
    expect(await audited()).toHaveLength(1);
    // Another episode of the same labels is the same alert.
    await hub.pass(minutes(2));
    await hub.resolve(DISK);
    hub.clock.advance(1_000);
    await hub.fire(DISK);
    expect(await idOf()).not.toBe(id);
    await hub.pass(minutes(7));
    expect(await hub.told()).toEqual([]);
    await hub.pass(minutes(2));
    expect(await hub.told()).toEqual([expect.stringMatching(/team: Disk \(first notification\)$/)]);
    expect((await actions.attention(await idOf()))?.snoozedUntil).toBeNull();
  });

  it('H6: may end that early, and keeps nobody from hearing of others', async () => {
    const id = await fired();
    await actions.snooze(id, ann, START + minutes(60));
    await hub.fire(CPU);
    await hub.pass(10_000);
    expect(await hub.told()).toEqual(['10s team: Cpu (first notification)']);
    expect(await actions.snooze(id, ann, undefined)).toMatchObject({ snoozedUntil: null });
    await hub.pass(minutes(1));
    expect((await hub.told()).at(-1)).toBe('70s team: Cpu Disk (new alerts added)');
  });

  it('H6: and that ends when it is resolved by hand: if it comes back, that is told', async () => {
    const id = await fired();
    await hub.pass(10_000);
    await actions.snooze(id, ann, START + minutes(60));
    expect(await actions.resolve(id, ann)).toMatchObject({ state: 'resolved', snoozedUntil: null });
    await hub.pass(minutes(2));
    await hub.fire(DISK);
    await hub.pass(minutes(2));
    expect((await hub.told()).map((told) => told.replace(/^\d+s /, ''))).toEqual([
      'team: Disk (first notification)',
      'team: resolved Disk (all alerts resolved)',
      'team: Disk (new alerts added)',
    ]);
  });
});

describe('H6: the audit log', () => {
  it('H6: is read in pages, by person or by what was changed', async () => {
    const [disk, cpu] = [await fired(DISK), await fired(CPU)];
    for (const text of ['1', '2', '3']) await actions.comment(disk, ann, text);
    await actions.comment(cpu, bob, '4');
    const log = hub.get(AuditLog);
    const texts = async (filter: Parameters<AuditLog['page']>[0]) =>
      (await log.page(filter)).entries.map(({ data }) => data?.['text']);
    const first = await log.page({ limit: 3 });
    expect(first.entries.map(({ data }) => data?.['text'])).toEqual(['4', '3', '2']);
    expect(await texts({ limit: 3, before: first.next })).toEqual(['1']);
    expect(await texts({ limit: 9, actor: bob.actor })).toEqual(['4']);
    expect(await texts({ limit: 9, subject: `alert:${disk}` })).toEqual(['3', '2', '1']);
  });
});
