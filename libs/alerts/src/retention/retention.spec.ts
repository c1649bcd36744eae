import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Database } from 'eyrie/database';
import { recordAudit } from '../people/index.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { PruneHistoryHandler } from './retention.handler.js';

Logger.overrideLogger(false);

const DAY = 86_400_000;
const MINUTE = 60_000;
let hub: TestHub;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
  hub = await testHub({
    config: `
route: { receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1m, repeat_interval: 200d }
receivers: [{ name: team, webhook_configs: [{ url: '${receiver.url}' }] }]`,
  });
});
afterEach(async () => {
  receiver.reset();
  await hub.clear();
});
afterAll(async () => {
  await hub.close();
  await receiver.close();
});

const prune = (signal = new AbortController().signal) => hub.get(PruneHistoryHandler).handle({}, { signal });

async function left() {
  const [row] = await hub.query(
    `SELECT (SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM alerts) AS alerts,
       (SELECT count(*)::int FROM alert_events) AS events,
       (SELECT coalesce(array_agg(state ORDER BY id), '{}') FROM notifications) AS notifications,
       (SELECT count(*)::int FROM notification_attempts) AS attempts,
       (SELECT count(*)::int FROM notification_log) AS log`,
  );
  return row;
}

async function tell(alertname: string, status = 200): Promise<void> {
  receiver.status = status;
  await hub.fire({ alertname });
  await hub.flush();
  await hub.deliver();
}

async function end(alertname: string): Promise<void> {
  await hub.resolve({ alertname });
  await hub.pass(MINUTE, MINUTE);
  await hub.deliver();
}

describe('H3: the history is kept as long as it has to be', () => {
  it('and then goes, with events, attempts and the log', async () => {
    await tell('A');
    await end('A');
    await prune();
    expect(await left()).toMatchObject({ alerts: ['A'], events: 2, notifications: ['delivered', 'delivered'] });
    hub.clock.advance(90 * DAY + 1);
    await hub.flush();
    await prune();
    expect(await left()).toEqual({ alerts: [], events: 0, notifications: [], attempts: 0, log: 0 });
  });

  it('what is younger stays', async () => {
    await tell('Old');
    await end('Old');
    hub.clock.advance(60 * DAY);
    await tell('Young');
    await end('Young');
    hub.clock.advance(40 * DAY);
    await prune();
    expect(await left()).toMatchObject({
      alerts: ['Young'],
      events: 2,
      notifications: ['delivered', 'delivered'],
      attempts: 2,
    });
  });

  it('what still fires stays, however old, and is not told of again', async () => {
    await tell('A');
    for (let month = 0; month < 5; month++) {
      for (let week = 0; week < 5; week++) {
        hub.clock.advance(6 * DAY);
        await hub.fire({ alertname: 'A' });
        await hub.flush();
      }
      await prune();
    }
    expect(await left()).toMatchObject({ alerts: ['A'], events: 1, log: 1 });
    expect(await hub.told()).toEqual([]);
  });

  it('what could not be delivered yet stays; a dead letter goes in its time', async () => {
    await tell('Pending', 503);
    await tell('Dead', 400);
    hub.clock.advance(91 * DAY);
    await prune();
    expect(await left()).toMatchObject({ notifications: ['pending'], attempts: 1 });
  });

  it('in batches: a job that is told to stop has done a part', async () => {
    await hub.query(
      `INSERT INTO alerts (fingerprint, content, name, severity, labels, annotations, generator_url, state, timeout,
         starts_at, ends_at, received_at, last_seen_at)
       SELECT number, 0, 'A', '', '{}', '{}', '', 'resolved', false, old, old, old, old
       FROM generate_series(1, 12000) AS number, to_timestamp($1) AS old`,
      [(hub.clock.now() - 100 * DAY) / 1000],
    );
    await prune(AbortSignal.abort());
    expect(await hub.query(`SELECT FROM alerts`)).toHaveLength(12_000);
    await prune();
    expect(await hub.query(`SELECT FROM alerts`)).toHaveLength(0);
  });
});

describe('H6: the audit log is kept as long as it has to be', () => {
  const auditKeptMs = 365 * DAY;
  const handler = () => new PruneHistoryHandler(hub.get(Database), hub.clock, { retentionMs: 90 * DAY, auditKeptMs });
  const { signal } = new AbortController();
  const record = (subject: string, at: number) =>
    recordAudit(hub.get(Database), { actor: 'user:ann@example.org' }, { action: 'alert.commented', subject }, at);
  const subjects = async () =>
    (await hub.query<{ subject: string }>('SELECT subject FROM audit_log ORDER BY id')).map(({ subject }) => subject);

  it('H6: longer than the alerts that it is about, and then goes', async () => {
    const now = hub.clock.now();
    await record('old', now - auditKeptMs - 1);
    await record('a year', now - auditKeptMs + 1);
    await record('young', now);
    await handler().handle({}, { signal });
    expect(await subjects()).toEqual(['a year', 'young']);
    await prune();
    expect(await subjects()).toEqual(['a year', 'young']);
  });

  it('H6: in batches, the oldest first', async () => {
    await hub.query(
      `INSERT INTO audit_log (at, actor, action, subject)
       SELECT to_timestamp($1), 'a', 'b', number::text FROM generate_series(1, 12000) AS number`,
      [(hub.clock.now() - 2 * auditKeptMs) / 1000],
    );
    await record('young', hub.clock.now());
    await handler().handle({}, { signal: AbortSignal.abort() });
    expect(await subjects()).toHaveLength(12_001);
    await handler().handle({}, { signal });
    expect(await subjects()).toEqual(['young']);
  });
});
