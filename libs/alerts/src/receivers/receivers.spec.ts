import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/harness/eventually.js';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { Receiver } from '../../../../test/harness/receiver.js';
import { type NotificationPayload } from '../notify/index.js';
import { AuditLog } from '../people/audit-log.js';
import { ReceiversReader } from './receivers-reader.js';
import { ReceiverTests } from './receiver-tests.js';
import { TestReceiverHandler } from './test-receiver.handler.js';

Logger.overrideLogger(false);

let hub: TestHub;
let idle: TestHub;
let receiver: Receiver;
const by = { actor: 'user:ann@example.org', address: '192.0.2.1', userAgent: 'spec', requestId: 'r-1' };

beforeAll(async () => {
  receiver = await Receiver.start();
  const config = `
route: { receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1m }
receivers:
  - name: team
    webhook_configs: [{ url: '${receiver.url}/secret-token' }, { url: 'http://127.0.0.1:1/other-token' }]
  - name: pager
    pagerduty_configs: [{ url: '${receiver.url}', routing_key: 0123456789abcdef0123456789abcdef }]
  - name: mail
    email_configs: [{ to: a@example.org, from: b@example.org, smarthost: 'smtp.example.org:587' }]
  - name: nobody`;
  hub = await testHub({ config, running: true, notify: { breakerFailures: 2, firstMs: 1_000 } });
  idle = await testHub({ config, beside: hub });
});
afterEach(async () => {
  receiver.reset();
  await hub.clear();
  await hub.query(`TRUNCATE receiver_health, receiver_tests, audit_log`);
});
afterAll(async () => {
  await idle.close();
  await hub.close();
  await receiver.close();
});

const test = (name: string, limitMs?: number) => hub.get(ReceiverTests).send(name, by, limitMs);
const views = async () => (await hub.get(ReceiversReader).list()).flatMap(({ integrations }) => integrations);

describe('H8: a test notification', () => {
  it('goes to each integration through the worker, and the answer says how it went', async () => {
    expect(await test('team')).toEqual([
      { integration: 'team/webhook/0', outcome: 'delivered', error: null, durationMs: expect.any(Number) },
      {
        integration: 'team/webhook/1',
        outcome: 'failed',
        error: 'webhook at 127.0.0.1:1 refused the connection',
        durationMs: expect.any(Number),
      },
    ]);
    const payload = JSON.parse(receiver.received[0]!.body) as NotificationPayload;
    expect(payload).toMatchObject({ version: '4', receiver: 'team', status: 'firing' });
    expect(payload.alerts.map(({ labels }) => labels['alertname'])).toEqual(['TestNotification']);
  });

  it('I6: is audited: who, when, from where', async () => {
    await test('team');
    const { entries } = await hub.get(AuditLog).page({ limit: 10 });
    expect(entries).toEqual([expect.objectContaining({ ...by, action: 'receiver.tested', subject: 'receiver:team' })]);
  });

  it('leaves no incident open at PagerDuty', async () => {
    receiver.replies.push({ status: 202 }, { status: 202 });
    expect(await test('pager')).toEqual([expect.objectContaining({ outcome: 'delivered' })]);
    const events = receiver.received.map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });
    expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    expect(events[0]!.dedup_key).toBe(events[1]!.dedup_key);
  });

  it('tells of no secret when it fails', async () => {
    receiver.replies.push({ status: 404, body: 'no route for /secret-token' });
    const [first] = (await test('team'))!;
    expect(first).toMatchObject({ outcome: 'failed', error: expect.stringContaining('answered 404') });
    expect(first!.error).not.toContain('secret-token');
  });

  it('to a receiver without integrations, or to none, is not sent', async () => {
    expect(await test('nobody')).toEqual([]);
    expect(await test('unknown')).toBeUndefined();
    expect(await test('__proto__')).toBeUndefined();
  });

  it('closes the circuit when all is well', async () => {
    await hub.query(
      `INSERT INTO receiver_health (integration, failures, open_until, openings) VALUES ('team/webhook/0', 9, 'infinity', 3)`,
    );
    await test('team');
    expect((await views())[0]).toMatchObject({ circuit: 'closed', consecutiveFailures: 0, lastError: null });
  });

  it('that nobody takes in time is unanswered, and not sent later', async () => {
    await hub.query(
      `UPDATE graphile_worker._private_tasks SET identifier = 'nobody' WHERE identifier = 'test-receiver'`,
    );
    const results = await hub.get(ReceiverTests).send('team', by, 100);
    expect(results!.map(({ outcome }) => outcome)).toEqual(['unanswered', 'unanswered']);
    const [row] = await hub.query<{ id: string }>(`SELECT id FROM receiver_tests`);
    hub.clock.advance(101);
    const { signal } = new AbortController();
    const payload = { id: row!.id, integration: 'team/webhook/0' };
    await idle.get(TestReceiverHandler).handle(payload, { id: '1', attempt: 1, signal });
    expect(receiver.received).toEqual([]);
    await hub.query(`DELETE FROM graphile_worker._private_jobs`);
    await hub.query(`DELETE FROM graphile_worker._private_tasks WHERE identifier = 'test-receiver'`);
    await hub.query(
      `UPDATE graphile_worker._private_tasks SET identifier = 'test-receiver' WHERE identifier = 'nobody'`,
    );
  });
});

describe('H7: receivers', () => {
  it('are listed with type and host, and nothing secret', async () => {
    expect((await views()).map(({ integration, type, target }) => [integration, type, target])).toEqual([
      ['team/webhook/0', 'webhook', new URL(receiver.url).host],
      ['team/webhook/1', 'webhook', '127.0.0.1:1'],
      ['pager/pagerduty/0', 'pagerduty', new URL(receiver.url).host],
      ['mail/email/0', 'email', 'smtp.example.org:587'],
    ]);
    expect(JSON.stringify(await views())).not.toMatch(/token|0123456789abcdef/);
    expect((await hub.get(ReceiversReader).list()).map(({ name }) => name)).toEqual([
      'team',
      'pager',
      'mail',
      'nobody',
    ]);
  });

  it('tell of the last success, the last error, and what waits', async () => {
    await hub.fire({ alertname: 'A' });
    const fared = await eventually(async () => {
      const [up, down] = await views();
      return up!.lastSuccessAt !== null && down!.consecutiveFailures > 0 && [up!, down!];
    });
    expect(fared[0]).toMatchObject({ circuit: 'closed', lastError: null, lastSuccessAt: '2020-03-01T12:00:00.000Z' });
    expect(fared[1]).toMatchObject({
      lastSuccessAt: null,
      lastErrorAt: '2020-03-01T12:00:00.000Z',
      lastError: 'webhook at 127.0.0.1:1 refused the connection',
    });
  });

  it('count what is under way and what was given up', async () => {
    await idle.query(
      `INSERT INTO notifications (group_id, receiver, integration, state, payload, fingerprints, created_at, retry_since)
       SELECT gen_random_uuid(), 'mail', 'mail/email/0', state, '{}', '{}', now(), now()
       FROM unnest('{waiting,waiting,dead,delivered}'::text[]) AS state`,
    );
    const counts = await eventually(async () => {
      const { notifications } = (await views()).find(({ type }) => type === 'email')!;
      return notifications.dead === 1 && notifications;
    }, 8_000);
    expect(counts).toEqual({ inFlight: 0, pending: 0, waiting: 2, dead: 1 });
  }, 10_000);
});
