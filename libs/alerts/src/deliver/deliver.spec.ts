import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testHub, type TestHub } from '../../../../test/harness/hub.js';
import { type ReceivedMessage, Receiver } from '../../../../test/harness/receiver.js';
import { NotificationsReader } from '../query/notifications-reader.js';
import { DeadLetters } from './dead-letters.js';
import { DeliverNotificationHandler } from './deliver-notification.handler.js';

Logger.overrideLogger(false);

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let hub: TestHub;
let receiver: Receiver;
let config: string;

beforeAll(async () => {
  receiver = await Receiver.start();
  config = `
route: { receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 1m }
receivers:
  - { name: team, webhook_configs: [{ url: '${receiver.url}' }] }
  - { name: other, webhook_configs: [{ url: '${receiver.url}' }] }`;
  hub = await testHub({
    config,
    notify: { firstMs: SECOND, factor: 2, maxMs: 10 * SECOND, giveUpAfterMs: HOUR, breakerFailures: 0 },
  });
});
beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(async () => {
  jest.restoreAllMocks();
  receiver.reset();
  await hub.clear();
  await hub.query(`DELETE FROM receiver_health`);
});
afterAll(async () => {
  await hub.close();
  await receiver.close();
});

async function fireAndDeliver(...names: string[]): Promise<void> {
  await hub.fire(...names.map((alertname) => ({ alertname })));
  await hub.flush();
  await hub.deliver();
}

/** The only notification, with what has become of it. */
async function theOne() {
  const { notifications } = await hub.get(NotificationsReader).page({ limit: 10 });
  expect(notifications).toHaveLength(1);
  return (await hub.get(NotificationsReader).byId(notifications[0]!.id))!;
}

const keyOf = ({ headers }: ReceivedMessage) => String(headers['idempotency-key']);
const refuse = (times: number, status = 503, headers: Record<string, string> = {}) =>
  receiver.replies.push(...Array.from({ length: times }, () => ({ status, headers, body: 'not now' })));

describe('H7: an attempt', () => {
  it('that is taken ends the notification, and is written down', async () => {
    await fireAndDeliver('A');
    expect(await theOne()).toMatchObject({
      state: 'delivered',
      attempts: 1,
      error: null,
      settledAt: '2020-03-01T12:00:00.000Z',
      attemptsMade: [{ number: 1, outcome: 'delivered', statusCode: 200, error: null, at: '2020-03-01T12:00:00.000Z' }],
    });
  });

  it('that may succeed later is made again when the back-off says, no earlier', async () => {
    refuse(2);
    await fireAndDeliver('A');
    const waits: number[] = [];
    for (let attempt = 2; attempt <= 3; attempt++) {
      let waited = 0;
      for (; receiver.received.length < attempt; waited += 100) {
        hub.clock.advance(100);
        await hub.deliver();
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1_000]); // half of the bounds 1 s and 2 s
    expect(await theOne()).toMatchObject({ state: 'delivered', attempts: 3 });
    expect((await theOne()).attemptsMade.map(({ outcome, statusCode }) => [outcome, statusCode])).toEqual([
      ['recoverable', 503],
      ['recoverable', 503],
      ['delivered', 200],
    ]);
  });

  it('H1: says the same under the same idempotency key each time', async () => {
    refuse(3);
    await fireAndDeliver('A');
    for (let attempt = 0; attempt < 3; attempt++) {
      hub.clock.advance(10 * SECOND);
      await hub.deliver();
    }
    const { received } = receiver;
    expect(received.map(({ headers }) => headers['eyrie-attempt'])).toEqual(['1', '2', '3', '4']);
    expect(new Set(received.map(keyOf))).toEqual(new Set([(await theOne()).id]));
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(JSON.parse(received[0]!.body)).toEqual((await theOne()).payload);
  });

  it('waits as long as Retry-After asks for', async () => {
    refuse(1, 429, { 'retry-after': '120' });
    await fireAndDeliver('A');
    hub.clock.advance(120 * SECOND);
    expect(await hub.deliver()).toBe(0);
    hub.clock.advance(500); // and its share of the jitter
    expect(await hub.deliver()).toBe(1);
  });

  it('that is refused for good makes a dead letter at once, with the reason', async () => {
    refuse(1, 400);
    await fireAndDeliver('A');
    expect(await theOne()).toMatchObject({ state: 'dead', attempts: 1, error: expect.stringContaining('400') });
    hub.clock.advance(HOUR);
    expect(await hub.deliver()).toBe(0);
  });

  it('is the last when the time is up', async () => {
    refuse(1_000);
    await fireAndDeliver('A');
    for (let minute = 0; minute < 62; minute++) {
      hub.clock.advance(MINUTE);
      await hub.deliver();
    }
    const { state, error, attempts } = await theOne();
    expect({ state, error }).toEqual({ state: 'dead', error: expect.stringMatching(/^given up after 3600 s .*503/) });
    expect(attempts).toBe(61);
  });

  it('is not made when the notification is settled: the job is the repeat of one whose worker died', async () => {
    await fireAndDeliver('A');
    const { id } = await theOne();
    const { signal } = new AbortController();
    await hub.get(DeliverNotificationHandler).handle({ id }, { id: '1', attempt: 2, signal });
    expect(receiver.received).toHaveLength(1);
    expect((await theOne()).attempts).toBe(1);
  });

  it('settled twice at once counts once', async () => {
    await hub.fire({ alertname: 'A' });
    await hub.flush();
    const { id } = await theOne();
    const { signal } = new AbortController();
    const handle = () => hub.get(DeliverNotificationHandler).handle({ id }, { id: '1', attempt: 1, signal });
    await Promise.all([handle(), handle()]);
    expect(await theOne()).toMatchObject({ state: 'delivered', attempts: 1 });
    const [log] = await hub.query(`SELECT outstanding FROM notification_log`);
    expect(log).toEqual({ outstanding: 0 });
  });

  it('cut off by a shutdown is made again', async () => {
    await hub.fire({ alertname: 'A' });
    await hub.flush();
    const { id } = await theOne();
    await hub.get(DeliverNotificationHandler).handle({ id }, { id: '1', attempt: 1, signal: AbortSignal.abort() });
    expect(await theOne()).toMatchObject({ state: 'pending', attempts: 1 });
    hub.clock.advance(SECOND);
    await hub.deliver();
    expect(await theOne()).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  it('fails for good when the configuration no longer has the integration', async () => {
    await hub.fire({ alertname: 'A' });
    await hub.flush();
    await hub.reload('{ route: { receiver: x }, receivers: [{ name: x }] }');
    await hub.deliver();
    expect(await theOne()).toMatchObject({ state: 'dead', error: 'the configuration no longer has this integration' });
    await hub.reload(config);
    await hub.get(DeadLetters).replay((await theOne()).id);
    await hub.deliver();
    expect((await theOne()).state).toBe('delivered');
  });

  it('of many at once is settled for each by itself', async () => {
    receiver.replies.push({ status: 503 }, { status: 400 });
    await fireAndDeliver('A', 'B', 'C', 'D', 'E');
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 10 });
    expect(notifications.map(({ state }) => state).sort()).toEqual([
      'dead',
      'delivered',
      'delivered',
      'delivered',
      'pending',
    ]);
  });
});

describe('H7: dead letters', () => {
  it('one is replayed: the same message under the same key, with time of its own to be tried', async () => {
    refuse(1, 400);
    await fireAndDeliver('A');
    const { id } = await theOne();
    hub.clock.advance(2 * HOUR);
    refuse(1, 503);
    expect(await hub.get(DeadLetters).replay(id)).toBe(true);
    await hub.deliver();
    expect((await theOne()).state).toBe('pending');
    hub.clock.advance(10 * SECOND);
    await hub.deliver();
    expect(await theOne()).toMatchObject({ state: 'delivered', attempts: 3 });
    expect(new Set(receiver.received.map((message) => `${keyOf(message)} ${message.body}`)).size).toBe(1);
    const [log] = await hub.query(`SELECT outstanding FROM notification_log`);
    expect(log).toEqual({ outstanding: 0 });
  });

  it('what is no dead letter is not replayed', async () => {
    await fireAndDeliver('A');
    expect(await hub.get(DeadLetters).replay((await theOne()).id)).toBe(false);
    expect(await hub.get(DeadLetters).replay('00000000-0000-7000-8000-000000000000')).toBe(false);
    expect(await hub.deliver()).toBe(0);
  });

  it('all are replayed, of one receiver or of every one', async () => {
    refuse(3, 400);
    await fireAndDeliver('A', 'B', 'C');
    expect(await hub.get(DeadLetters).replayAll('other')).toBe(0);
    expect(await hub.get(DeadLetters).replayAll('team')).toBe(3);
    expect(await hub.get(DeadLetters).replayAll()).toBe(0);
    await hub.deliver();
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 10, state: 'delivered' });
    expect(notifications).toHaveLength(3);
  });

  it('count as under way: what comes after them waits', async () => {
    const outstanding = async () => (await hub.query(`SELECT outstanding FROM notification_log`))[0]!['outstanding'];
    refuse(2, 400);
    await fireAndDeliver('A');
    hub.clock.advance(16 * MINUTE);
    await fireAndDeliver('A'); // repeated, and refused again
    expect(await outstanding()).toBe(0);
    expect(await hub.get(DeadLetters).replayAll()).toBe(2);
    expect(await outstanding()).toBe(2);
    await hub.resolve({ alertname: 'A' });
    hub.clock.advance(MINUTE);
    await hub.flush();
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 10 });
    expect(notifications.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'pending']);
    await hub.deliver();
    expect(await outstanding()).toBe(0);
    const last = JSON.parse(receiver.received.at(-1)!.body) as { status: string };
    expect(last.status).toBe('resolved');
  });

  it('count as under way when their line was forgotten with its group: what comes after them waits', async () => {
    refuse(2, 400);
    await fireAndDeliver('A');
    hub.clock.advance(16 * MINUTE);
    await fireAndDeliver('A');
    await hub.query(`DELETE FROM notification_log`);
    expect(await hub.get(DeadLetters).replayAll()).toBe(2);
    await hub.resolve({ alertname: 'A' });
    await hub.fire({ alertname: 'A' });
    hub.clock.advance(MINUTE);
    await hub.flush();
    const { notifications } = await hub.get(NotificationsReader).page({ limit: 10 });
    expect(notifications.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'pending']);
    const before = receiver.received.length;
    await hub.deliver();
    expect(receiver.received.slice(before).map(keyOf)).toEqual(notifications.map(({ id }) => id).reverse());
    expect(await hub.query(`SELECT outstanding FROM notification_log`)).toEqual([{ outstanding: 0 }]);
  });

  it('are all replayed, however many they are', async () => {
    await hub.query(
      `INSERT INTO notifications (group_id, receiver, integration, state, payload, fingerprints, created_at, retry_since)
       SELECT gen_random_uuid(), 'team', 'team/webhook/0', 'dead', '{}', '{}', now(), now() FROM generate_series(1, 1201)`,
    );
    expect(await hub.get(DeadLetters).replayAll('other')).toBe(0);
    expect(await hub.get(DeadLetters).replayAll('team')).toBe(1201);
    expect(await hub.query(`SELECT count(*)::int AS jobs FROM graphile_worker._private_jobs`)).toEqual([
      { jobs: 1201 },
    ]);
  });

  it('replayed twice at once is sent once', async () => {
    refuse(1, 400);
    await fireAndDeliver('A');
    const { id } = await theOne();
    const replayed = await Promise.all([1, 2, 3].map(() => hub.get(DeadLetters).replay(id)));
    expect(replayed.filter(Boolean)).toHaveLength(1);
    expect(await hub.deliver()).toBe(1);
  });
});
