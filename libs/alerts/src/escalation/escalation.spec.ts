import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';
import { AlertsConfigError } from '../config/index.js';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { type NotificationPayload } from '../notify/index.js';
import { AlertActions } from '../people/index.js';
import { NotificationsReader } from '../query/notifications-reader.js';
import { AlertsReader } from '../query/alerts-reader.js';
import { SilencesService } from '../silences/index.js';
import { EscalationPass } from './escalation-pass.js';
import { EscalationSweep } from './escalation-sweep.js';
import { Notices } from './notices.js';

Logger.overrideLogger(false);

const config = `
route: { receiver: nobody, group_by: ['...'] }
receivers:
  - name: nobody
  - { name: oncall, webhook_configs: [{ url: 'http://localhost:1/' }] }
  - { name: managers, webhook_configs: [{ url: 'http://localhost:1/', send_resolved: false }] }
inhibit_rules: [{ source_matchers: [alertname="Network"], target_matchers: [severity="critical"] }]
`;
const escalations = `
escalations:
  - name: critical
    matchers: ['severity="critical"']
    steps: [{ after: 15m, receiver: oncall }, { after: 30m, receiver: managers }]
  - name: loud
    matchers: [severity="loud"]
    steps: [{ after: 0s, receiver: oncall }, { after: 5m, receiver: managers }]
    repeat: 10m
`;
const DISK = { alertname: 'Disk', severity: 'critical' };
const LOUD = { alertname: 'Loud', severity: 'loud' };
const by = { actor: 'user:ann@example.org' };
const minutes = (count: number) => count * 60_000;

let hub: TestHub;
let other: TestHub;
beforeAll(async () => {
  hub = await testHub({ config, escalations });
  other = await testHub({ config, escalations, beside: hub });
});
afterEach(() => {
  jest.restoreAllMocks();
  return hub.clear();
});
afterAll(async () => {
  await other.close();
  await hub.close();
});

async function escalate(one = hub): Promise<void> {
  await one.get(EscalationSweep).run();
  while ((await one.get(EscalationPass).run()) > 0);
}

async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 10_000) {
    hub.clock.advance(10_000);
    await escalate();
  }
}

async function idOf(labels: { alertname: string } = DISK): Promise<string> {
  const rows = await hub.query<{ id: string }>('SELECT id FROM alerts WHERE name = $1 AND current', [labels.alertname]);
  return rows[0]!.id;
}

/** `15m oncall: firing Disk` */
async function told(): Promise<string[]> {
  const rows = await hub.query<{ at: number; receiver: string; payload: NotificationPayload }>(
    `SELECT extract(epoch FROM created_at)::float8 AS at, receiver, payload FROM notifications ORDER BY created_at, id`,
  );
  return rows.map(({ at, receiver, payload }) => {
    const names = payload.alerts.map(({ labels }) => labels['alertname']).join(' ');
    return `${(at - START / 1000) / 60}m ${receiver}: ${payload.status} ${names}`;
  });
}

describe('H6: an alert that nobody acknowledges', () => {
  it('H6: is told step by step, each once, and of its end those who were told and want to hear of it', async () => {
    await hub.fire(DISK, { alertname: 'Small', severity: 'low' });
    await pass(minutes(60));
    expect(await told()).toEqual(['15m oncall: firing Disk', '30m managers: firing Disk']);
    await hub.resolve(DISK);
    await escalate();
    await escalate();
    expect(await told()).toEqual(['15m oncall: firing Disk', '30m managers: firing Disk', '60m oncall: resolved Disk']);
    expect(await hub.query(`SELECT name FROM escalations`)).toEqual([{ name: null }]);
  });

  it('H6: is told under a key of its own, and the alert knows of it', async () => {
    await hub.fire(DISK);
    await pass(minutes(15));
    const id = await idOf();
    const [{ payload } = {}] = await hub.query<{ payload: NotificationPayload }>('SELECT payload FROM notifications');
    expect(payload).toMatchObject({ groupKey: `escalation/critical/${id}`, groupLabels: { alertname: 'Disk' } });
    const [alert, events] = [await hub.get(AlertsReader).byId(id), await hub.get(AlertsReader).events(id)];
    expect(events.at(-1)).toMatchObject({
      type: 'escalated',
      actor: 'system',
      data: { escalation: 'critical', receivers: ['oncall'] },
    });
    expect(await hub.get(NotificationsReader).ofAlert(alert!, events)).toMatchObject([{ receiver: 'oncall' }]);
  });

  it('H6: is told again and again where the file says so', async () => {
    await hub.fire(LOUD);
    await escalate();
    await pass(minutes(21));
    expect(await told()).toEqual([
      '0m oncall: firing Loud',
      '5m managers: firing Loud',
      '15m oncall: firing Loud',
      '20m managers: firing Loud',
    ]);
  });

  it('H6: is told at once of all that was due while no worker ran, each receiver once', async () => {
    await hub.fire(LOUD);
    hub.clock.advance(minutes(120));
    await escalate();
    expect(await told()).toEqual(['120m oncall: firing Loud', '120m managers: firing Loud']);
  });

  it('H6: begins anew when it fires again', async () => {
    await hub.fire(DISK);
    await pass(minutes(16));
    await hub.resolve(DISK);
    await escalate();
    await hub.fire(DISK);
    await pass(minutes(16));
    expect(await told()).toEqual(['15m oncall: firing Disk', '16m oncall: resolved Disk', '31m oncall: firing Disk']);
  });
});

describe('H6: several workers', () => {
  it('H6: take each step once between them', async () => {
    await hub.fire(...Array.from({ length: 250 }, (_, index) => ({ ...LOUD, alertname: `L${index}` })));
    await Promise.all([hub, other, hub, other].map(escalate));
    hub.clock.advance(minutes(5));
    await Promise.all([hub, other, hub, other].map(escalate));
    const lines = await told();
    expect(lines).toHaveLength(500);
    expect(new Set(lines).size).toBe(500);
  });

  it('H6: lose no step when one dies half-way', async () => {
    await hub.fire(LOUD);
    await hub.get(EscalationSweep).run();
    const send = jest.spyOn(hub.get(Notices), 'send').mockImplementationOnce(async (...parameters) => {
      send.mockRestore();
      await hub.get(Notices).send(...parameters);
      throw new Error('killed');
    });
    await expect(hub.get(EscalationPass).run()).rejects.toThrow('killed');
    expect(await told()).toEqual([]);
    await escalate(other);
    expect(await told()).toEqual(['0m oncall: firing Loud']);
  });
});

describe('H6: an escalation', () => {
  it('H6: stops at an acknowledgement, and begins anew when that is taken back', async () => {
    await hub.fire(DISK);
    await pass(minutes(16));
    const actions = hub.get(AlertActions);
    await actions.acknowledge(await idOf(), by);
    await pass(minutes(30));
    expect(await told()).toEqual(['15m oncall: firing Disk']);
    await actions.unacknowledge(await idOf(), by);
    await pass(minutes(15));
    expect((await told()).slice(1)).toEqual(['61m oncall: firing Disk']);
  });

  it('H6: is not started by an alert that was acknowledged before it was found', async () => {
    await hub.fire(LOUD);
    await hub.get(AlertActions).acknowledge(await idOf(LOUD), by);
    await pass(minutes(10));
    expect(await told()).toEqual([]);
  });

  it('H6: ends with a resolution by hand', async () => {
    await hub.fire(DISK);
    await pass(minutes(16));
    await hub.get(AlertActions).resolve(await idOf(), by);
    await pass(minutes(30));
    expect(await told()).toEqual(['15m oncall: firing Disk', expect.stringMatching(/^16.\d+m oncall: resolved Disk$/)]);
  });

  it('H6: pauses while the alert is snoozed: what is due waits for the end, and the rest moves with it', async () => {
    await hub.fire(DISK);
    await pass(minutes(10));
    await hub.get(AlertActions).snooze(await idOf(), by, hub.clock.now() + minutes(20));
    await pass(minutes(40));
    expect(await told()).toEqual(['30m oncall: firing Disk', '45m managers: firing Disk']);
  });

  it('H6: pauses while the alert is silenced or inhibited', async () => {
    const silence = {
      matchers: [{ name: 'alertname', operator: '=' as const, value: 'Quiet' }],
      createdBy: 'ann',
      comment: 'x',
    };
    await hub.get(SilencesService).set({ ...silence, endsAt: START + minutes(20) }, { name: by.actor });
    await hub.fire({ alertname: 'Quiet', severity: 'critical' }, { alertname: 'Inhibited', severity: 'critical' });
    await pass(minutes(16));
    expect(await told()).toEqual(['15m oncall: firing Inhibited']);
    await hub.fire({ alertname: 'Network' });
    await pass(minutes(30));
    expect(await told()).toEqual(['15m oncall: firing Inhibited']);
    await hub.resolve({ alertname: 'Network' });
    await pass(minutes(1));
    expect((await told()).slice(1).sort()).toEqual([
      expect.stringMatching(/^46.\d+m managers: firing Inhibited$/),
      expect.stringMatching(/^46.\d+m oncall: firing Quiet$/),
    ]);
  });
});

describe('H6: another file with escalations', () => {
  afterEach(async () => {
    await write(escalations);
    await hub.get(AlertsConfigStore).reload();
  });

  it('H6: holds for alerts that fire already, and a bad one for nothing', async () => {
    const LOW = { alertname: 'Low', severity: 'low' };
    await hub.fire(LOW, DISK);
    await pass(minutes(16));
    await write('escalations: [{ name: x, steps: [{ after: 1m, receiver: nowhere }] }]');
    await expect(hub.get(AlertsConfigStore).reload()).rejects.toThrow(AlertsConfigError);
    await pass(minutes(1));
    expect(await told()).toEqual(['15m oncall: firing Disk']);
    await write('escalations: [{ name: all, steps: [{ after: 20m, receiver: managers }] }]');
    await hub.get(AlertsConfigStore).reload();
    await pass(minutes(60));
    // The one whose escalation is gone begins with the new one when its next step falls due.
    expect((await told()).slice(1)).toEqual(['20m managers: firing Low', '50m managers: firing Disk']);
    await hub.resolve(DISK);
    await escalate();
    expect((await told()).at(-1)).toMatch(/oncall: resolved Disk$/);
  });

  function write(yaml: string): Promise<void> {
    const { options } = hub.get(AlertsConfigStore) as unknown as { options: { escalationsFile: string } };
    return writeFile(options.escalationsFile, yaml);
  }
});
