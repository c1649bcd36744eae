import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testHub, type TestHub } from '../../../test/harness/hub.js';
import { EventWrites } from './event-writes.js';
import { EscalationPass } from './escalation/escalation-pass.js';
import { EscalationSweep } from './escalation/escalation-sweep.js';
import { HeartbeatPass, heartbeatRequest, HeartbeatsService } from './heartbeats/index.js';
import { AlertActions } from './people/index.js';

const config = (groupBy: string) => `
route: { receiver: team, group_by: [${groupBy}], group_wait: 0s, group_interval: 1m }
receivers: [{ name: team, webhook_configs: [{ url: 'http://localhost:1/' }] }]`;
const escalations = `escalations: [{ name: all, steps: [{ after: 1m, receiver: team }] }]`;
const MINUTE = 60_000;
const ann = { actor: 'user:ann@example.org' };
const DISK = { alertname: 'Disk' };

let hub: TestHub;
let announced = 0;
let end: () => void;
beforeAll(async () => {
  hub = await testHub({ config: config('x'), escalations, running: false });
});
beforeEach(() => {
  announced = 0;
  end = hub.get(EventWrites).onCommit(() => announced++);
});
afterEach(async () => {
  end();
  await hub.clear();
});
afterAll(() => hub.close());

const count = async () => (await hub.query<{ count: number }>('SELECT count(*)::int FROM alert_events'))[0]!.count;
const idOf = async () => (await hub.query<{ id: string }>('SELECT id FROM alerts WHERE current'))[0]!.id;

/** Whether what was done has written events, and that it has said so if and only if it has. */
async function written(work: () => Promise<unknown>): Promise<boolean> {
  const before = await count();
  announced = 0;
  await work();
  const grown = (await count()) > before;
  expect(announced > 0).toBe(grown);
  return grown;
}

describe('H10: whoever follows the events of alerts is woken by each commit that holds some, and by no other', () => {
  it('of alerts that come in: new, known, changed, over, raised again', async () => {
    expect(await written(() => hub.fire(DISK))).toBe(true);
    expect(await written(() => hub.fire(DISK))).toBe(false);
    expect(await written(() => hub.post({ labels: DISK, annotations: { summary: 'x' } }))).toBe(true);
    expect(await written(() => hub.resolve(DISK))).toBe(true);
    expect(await written(() => hub.post({ labels: DISK, endsAt: hub.clock.now() }))).toBe(false);
    hub.clock.advance(MINUTE);
    expect(await written(() => hub.fire(DISK, { alertname: 'Cpu' }))).toBe(true);
  });

  it('of alerts whose time is up, and of those that the file now groups otherwise', async () => {
    await hub.post({ labels: DISK, endsAt: hub.clock.now() + MINUTE });
    expect(await written(() => hub.flush())).toBe(false);
    await hub.reload(config('alertname'));
    hub.clock.advance(MINUTE / 2);
    await hub.query('UPDATE alert_groups SET next_flush_at = to_timestamp($1)', [hub.clock.now() / 1000]);
    expect(await written(() => hub.flush())).toBe(true);
    hub.clock.advance(2 * MINUTE);
    expect(await written(() => hub.flush())).toBe(true);
    await hub.reload(config('x'));
  });

  it('of people', async () => {
    await hub.fire(DISK);
    const [id, actions] = [await idOf(), hub.get(AlertActions)];
    expect(await written(() => actions.acknowledge(id, ann))).toBe(true);
    expect(await written(() => actions.acknowledge(id, ann))).toBe(false);
    expect(await written(() => actions.comment(id, ann, 'mine'))).toBe(true);
    expect(await written(() => actions.snooze(id, ann, hub.clock.now() + MINUTE))).toBe(true);
    expect(await written(() => actions.resolve(id, ann))).toBe(true);
    expect(await written(() => actions.resolve(id, ann))).toBe(false);
  });

  it('of escalations and of heartbeats that are missing', async () => {
    await hub.fire(DISK);
    await hub.get(EscalationSweep).run();
    expect(await written(() => hub.get(EscalationPass).run())).toBe(false);
    hub.clock.advance(2 * MINUTE);
    expect(await written(() => hub.get(EscalationPass).run())).toBe(true);
    await hub.get(HeartbeatsService).declare('backup', heartbeatRequest.parse({ period: '1m', grace: '0s' }), ann);
    expect(await written(() => hub.get(HeartbeatPass).run())).toBe(false);
    hub.clock.advance(5 * MINUTE);
    expect(await written(() => hub.get(HeartbeatPass).run())).toBe(true);
  });
});
