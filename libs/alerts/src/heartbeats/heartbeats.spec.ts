import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsService } from '../alerts.service.js';
import { AlertActions, AuditLog } from '../people/index.js';
import { AlertsReader } from '../query/alerts-reader.js';
import { heartbeatRequest } from './heartbeat.js';
import { HeartbeatPass } from './heartbeat-pass.js';
import { HeartbeatsService } from './heartbeats.service.js';
import { Watchdogs } from './watchdogs.js';

Logger.overrideLogger(false);

const config = '{ route: { receiver: team }, receivers: [{ name: team }] }';
const by = { actor: 'user:ann@example.org', address: '192.0.2.1' };
const minutes = (count: number) => count * 60_000;
const at = (milliseconds: number) => new Date(START + milliseconds).toISOString();

let hub: TestHub;
let other: TestHub;
let heartbeats: HeartbeatsService;
beforeAll(async () => {
  hub = await testHub({ config });
  other = await testHub({ config, beside: hub });
  heartbeats = hub.get(HeartbeatsService);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await hub.clear();
  await hub.get(Watchdogs).refresh();
});
afterAll(async () => {
  await other.close();
  await hub.close();
});

const declare = (name: string, request: Record<string, unknown> = {}) =>
  heartbeats.declare(name, heartbeatRequest.parse({ period: '5m', grace: '1m', ...request }), by);
const beat = (name: string, request = {}) => heartbeats.beat(name, request, by);

async function look(one = hub): Promise<void> {
  while ((await one.get(HeartbeatPass).run()) > 0);
}

/** Moves the clock in steps of ten seconds, and looks after each. */
async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 10_000) {
    hub.clock.advance(10_000);
    await look();
  }
}

const alerts = async () => (await hub.get(AlertsReader).page({ limit: 100 })).alerts;
const states = async () => (await alerts()).map(({ labels, state }) => `${labels['heartbeat']} ${state}`);

describe('H8: a heartbeat', () => {
  it('H8: that does not come in time raises an alert, and the next beat resolves it', async () => {
    await declare('backup', { labels: { team: 'db' }, severity: 'high', message: 'No backup' });
    hub.clock.advance(minutes(4));
    expect(await beat('backup')).toMatchObject({
      state: 'alive',
      lastBeatAt: at(minutes(4)),
      deadline: at(minutes(10)),
    });
    await pass(minutes(6) - 10_000);
    expect(await alerts()).toEqual([]);
    await pass(10_000);
    expect(await alerts()).toMatchObject([
      {
        name: 'HeartbeatMissing',
        state: 'firing',
        labels: { alertname: 'HeartbeatMissing', severity: 'high', heartbeat: 'backup', team: 'db' },
        annotations: { summary: 'No backup' },
        startsAt: at(minutes(10)),
      },
    ]);
    expect(await heartbeats.one('backup')).toMatchObject({ state: 'missing', missingSince: at(minutes(10)) });
    hub.clock.advance(minutes(1));
    await beat('backup');
    await look();
    expect(await alerts()).toMatchObject([{ state: 'resolved', endsAt: at(minutes(11)) }]);
    expect(await heartbeats.one('backup')).toMatchObject({
      state: 'alive',
      missingSince: null,
      deadline: at(minutes(17)),
    });
    await pass(minutes(6));
    expect(await states()).toEqual(['backup firing', 'backup resolved']);
  });

  it('H8: that never came is missed too', async () => {
    expect(await declare('never')).toMatchObject({ state: 'waiting', lastBeatAt: null });
    await pass(minutes(6));
    expect(await alerts()).toMatchObject([{ state: 'firing', severity: 'critical' }]);
  });

  it('H8: stays missing for days: the alert neither ends by itself nor by hand for long', async () => {
    await declare('backup');
    await pass(minutes(6));
    const [alert] = await alerts();
    await hub.get(AlertActions).resolve(alert!.id, by);
    expect(await states()).toEqual(['backup resolved']);
    hub.clock.advance(minutes(60));
    await look();
    expect(await alerts()).toMatchObject([{ id: alert!.id, state: 'firing' }]);
    for (let day = 0; day < 60; day++) {
      hub.clock.advance(86_400_000);
      await look();
    }
    expect(await alerts()).toMatchObject([{ id: alert!.id, state: 'firing' }]);
  });

  it('H8: is made by the first beat that says its period; what was declared a beat does not change', async () => {
    expect(await beat('cron')).toBeUndefined();
    expect(await beat('cron', { period: '1h' })).toMatchObject({
      ...{ declared: false, period: '1h', grace: '1m', state: 'alive', severity: 'critical' },
    });
    expect(await beat('cron', { grace: '10m' })).toMatchObject({ period: '1h', grace: '10m' });
    await declare('cron', { period: '2h' });
    expect(await beat('cron', { period: '1s' })).toMatchObject({ declared: true, period: '2h' });
    expect((await hub.get(AuditLog).page({ limit: 9 })).entries.map(({ action }) => action)).toEqual([
      'heartbeat.declared',
      'heartbeat.changed',
      'heartbeat.created',
    ]);
  });

  it('H8: that is declared again as it is goes on; as another it begins anew and its alert ends', async () => {
    const labels = { b: '1', a: '2' };
    await declare('backup', { labels });
    await pass(minutes(6));
    await declare('backup', { labels: { a: '2', b: '1' } });
    await look();
    expect(await heartbeats.one('backup')).toMatchObject({ state: 'missing' });
    expect(await states()).toEqual(['backup firing']);
    await declare('backup', { labels: { a: '3' } });
    await look();
    expect(await heartbeats.one('backup')).toMatchObject({ state: 'waiting', deadline: at(minutes(12)) });
    expect(await states()).toEqual(['backup resolved']);
    await pass(minutes(6));
    expect(await states()).toEqual(['backup firing', 'backup resolved']);
  });

  it('H8: that is removed ends its alert, and may come back', async () => {
    await declare('quiet');
    await declare('backup');
    expect(await heartbeats.remove('quiet', by)).toBe(true);
    await pass(minutes(6));
    expect(await heartbeats.remove('backup', by)).toBe(true);
    expect(await heartbeats.remove('backup', by)).toBe(false);
    expect(await beat('backup')).toBeUndefined();
    expect(await heartbeats.page({ limit: 10 })).toEqual({ heartbeats: [] });
    await declare('backup');
    await look();
    expect(await states()).toEqual(['backup resolved']);
    expect(await heartbeats.one('backup')).toMatchObject({ state: 'waiting' });
    await heartbeats.remove('backup', by);
    expect(await hub.query('SELECT FROM heartbeats')).toEqual([]);
  });

  it('H8: is listed in pages by name', async () => {
    for (const name of ['c', 'a', 'b']) await declare(name);
    const first = await heartbeats.page({ limit: 2 });
    expect([first.heartbeats.map(({ name }) => name), first.next]).toEqual([['a', 'b'], 'b']);
    const rest = await heartbeats.page({ limit: 2, after: 'b' });
    expect([rest.heartbeats.map(({ name }) => name), rest.next]).toEqual([['c'], undefined]);
  });
});

describe('H8: several workers', () => {
  it('H8: raise each alert once between them', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, index) => declare(`h${index}`)));
    hub.clock.advance(minutes(6));
    await Promise.all([hub, other, hub, other].map(look));
    expect(await hub.query('SELECT count(*)::int AS alerts, sum(occurrences)::int AS raised FROM alerts')).toEqual([
      { alerts: 150, raised: 150 },
    ]);
  });

  it('H8: neither lose nor forget an alert when one dies half-way', async () => {
    await declare('backup');
    hub.clock.advance(minutes(6));
    const alertsService = hub.get(AlertsService);
    const trigger = alertsService.triggerAll.bind(alertsService);
    const dying = jest.spyOn(alertsService, 'triggerAll').mockImplementation(async (...parameters) => {
      await trigger(...parameters);
      throw new Error('killed');
    });
    await expect(hub.get(HeartbeatPass).run()).rejects.toThrow('killed');
    expect(await states()).toEqual(['backup firing']);
    // A beat comes before anybody has noted that the alert was raised.
    await beat('backup');
    await expect(hub.get(HeartbeatPass).run()).rejects.toThrow('killed');
    dying.mockRestore();
    await look(other);
    expect(await states()).toEqual(['backup resolved']);
    expect(await heartbeats.one('backup')).toMatchObject({ state: 'alive' });
    await pass(minutes(7));
    expect(await states()).toEqual(['backup firing', 'backup resolved']);
  });

  it('H8: that run say it within a second of the deadline', async () => {
    const running = await testHub({ config, running: true, beside: hub });
    try {
      await declare('quick', { period: '2s', grace: '0s' });
      hub.clock.advance(2_000);
      const began = Date.now();
      while ((await states()).length === 0 && Date.now() - began < 5_000)
        await new Promise((tick) => setTimeout(tick, 10));
      expect(await states()).toEqual(['quick firing']);
      expect(Date.now() - began).toBeLessThan(1_500);
    } finally {
      await running.close();
    }
  });
});

describe('H8: an alert as a heartbeat', () => {
  const WATCHDOG = { alertname: 'Watchdog', severity: 'none' };

  it('H8: keeps it alive by firing, and raises an alert by its silence', async () => {
    await declare('prometheus', { matchers: ['alertname="Watchdog"', 'severity=~"none|info"'] });
    await hub.get(Watchdogs).refresh();
    for (let minute = 0; minute < 20; minute++) {
      await hub.fire(WATCHDOG, { alertname: 'Noise' });
      await pass(minutes(1));
    }
    expect(await heartbeats.one('prometheus')).toMatchObject({ state: 'alive', lastBeatAt: at(minutes(19)) });
    await hub.fire({ alertname: 'Watchdog' }, { alertname: 'Noise' });
    await hub.resolve(WATCHDOG);
    await pass(minutes(6));
    expect((await states()).filter((line) => line.startsWith('prometheus'))).toEqual(['prometheus firing']);
    await hub.fire(WATCHDOG);
    await look();
    expect((await states()).filter((line) => line.startsWith('prometheus'))).toEqual(['prometheus resolved']);
  });

  it('H8: costs nothing where no heartbeat has matchers, and stores the alert where the beat fails', async () => {
    await declare('plain');
    const watchdogs = hub.get(Watchdogs);
    await watchdogs.refresh();
    expect(watchdogs.any).toBe(false);
    await declare('prometheus', { matchers: ['alertname="Watchdog"'] });
    await watchdogs.refresh();
    await hub.query('ALTER TABLE heartbeats RENAME TO elsewhere');
    try {
      await hub.fire(WATCHDOG);
    } finally {
      await hub.query('ALTER TABLE elsewhere RENAME TO heartbeats');
    }
    expect((await alerts()).map(({ name }) => name)).toEqual(['Watchdog']);
    await hub.fire(WATCHDOG);
    expect(await heartbeats.one('prometheus')).toMatchObject({ state: 'alive' });
  });

  it('H8: is not kept alive by the alert that it is missing', async () => {
    await declare('all', { matchers: ['severity="critical"'] });
    await hub.get(Watchdogs).refresh();
    await pass(minutes(8));
    expect(await states()).toEqual(['all firing']);
    expect(await heartbeats.one('all')).toMatchObject({ state: 'missing', lastBeatAt: null });
  });
});

describe('H8: a declaration', () => {
  it.each([
    ['no period', {}, 'period'],
    ['a period that is none', { period: '5 minutes' }, 'period'],
    ['one that is too short', { period: '10ms' }, 'period'],
    ['one that is too long', { period: '100y' }, 'period'],
    ['a label of the hub', { period: '1m', labels: { heartbeat: 'x' } }, 'labels'],
    ['a label with NUL', { period: '1m', labels: { a: '\0' } }, 'labels'],
    ['matchers that are none', { period: '1m', matchers: ['severity~x'] }, 'matchers'],
    ['an empty matcher, which would match all', { period: '1m', matchers: ['{}'] }, 'matchers'],
    ['a field that nobody knows', { period: '1m', every: '2m' }, ''],
  ])('H8: with %s is refused with its place', (_title, request, place) => {
    const { error } = heartbeatRequest.safeParse(request);
    expect(error?.issues.map(({ path }) => path[0] ?? '')).toContain(place);
  });
});
