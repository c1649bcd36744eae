import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/harness/eventually.js';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { type ReceivedMessage, Receiver } from '../../../../test/harness/receiver.js';
import { FlushPass } from './flush.js';

Logger.overrideLogger(false);

let receiver: Receiver;
let hub: TestHub;
let other: TestHub;
let tries = 0;
/** For 300 deliveries on a machine that has other things to do as well. */
const BUSY_MS = 10_000;

beforeAll(async () => {
  receiver = await Receiver.start();
  const config = `
route:
  receiver: team
  group_by: ['...']
  group_wait: 0s
  group_interval: 1m
  routes: [{ matchers: [patient="yes"], group_wait: 30s }]
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]`;
  hub = await testHub({ config, running: true });
  other = await testHub({ config, running: true, beside: hub });
});
beforeEach(() => {
  tries++;
});
afterEach(() => {
  jest.restoreAllMocks();
  receiver.reset();
});
afterAll(async () => {
  await other.close();
  await hub.close();
  await receiver.close();
});

/** A name that no earlier try has told of: what was told once is not told again. */
const fresh = (name: string) => `${name} ${tries}`;
const namesIn = ({ body }: ReceivedMessage) =>
  (JSON.parse(body) as { alerts: { labels: { alertname: string } }[] }).alerts.map(({ labels }) => labels.alertname);
const heardOf = (name: string) => eventually(() => receiver.received.some((one) => namesIn(one).includes(name)));

describe('H1: two workers that run', () => {
  it('tell of each alert once, as soon as it is committed', async () => {
    const names = Array.from({ length: 300 }, (_, index) => fresh(`A${index}`));
    await Promise.all(names.map((alertname, index) => (index % 10 === 7 ? other : hub).fire({ alertname })));
    await eventually(() => receiver.received.length >= 300, BUSY_MS);
    await eventually(
      async () => (await hub.query(`SELECT FROM notifications WHERE state <> 'delivered'`)).length === 0,
      BUSY_MS,
    );
    expect(receiver.received.flatMap(namesIn).sort()).toEqual(names.sort());
  });

  it('hear of an alert by a notice, not by the look that comes once a second', async () => {
    const began = Date.now();
    for (let index = 0; index < 20; index++) {
      const alertname = fresh(`Quick${index}`);
      await hub.fire({ alertname });
      await heardOf(alertname);
    }
    expect(Date.now() - began).toBeLessThan(10_000); // by looks alone: 20 s
  });

  it('go on after a flush that failed', async () => {
    for (const one of [hub, other]) {
      jest.spyOn(one.get(FlushPass), 'run').mockRejectedValueOnce(new Error('PostgreSQL is away'));
    }
    const alertname = fresh('Later');
    await hub.fire({ alertname });
    await heardOf(alertname);
  });

  it('try again what a receiver refused for now', async () => {
    receiver.replies.push({ status: 503 }, { status: 503 });
    await hub.fire({ alertname: fresh('Stubborn') });
    await eventually(() => receiver.received.length === 3);
    expect(new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('flush what becomes due by itself', async () => {
    const alertname = fresh('Patient');
    await hub.fire({ alertname, patient: 'yes' });
    hub.clock.advance(30_000);
    await heardOf(alertname);
  });
});
