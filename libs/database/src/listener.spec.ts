import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { type TestDatabase, testDatabase } from '../../../test/harness/postgres.js';
import { TcpProxy } from '../../../test/harness/tcp-proxy.js';
import { Listener } from './listener.js';

let cluster: TestDatabase;
let admin: Client;
let listener: Listener;

beforeAll(async () => {
  Logger.overrideLogger(false); // the faults below are on purpose
  cluster = await testDatabase();
  admin = new Client({ connectionString: cluster.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await cluster.drop();
});
beforeEach(() => {
  listener = new Listener(cluster.url, { connectTimeoutMs: 2_000 });
});
afterEach(() => listener.close());

const notify = (channel: string, payload: string) => admin.query('SELECT pg_notify($1, $2)', [channel, payload]);

describe('Listener', () => {
  it('tells every subscriber of a channel, and no longer those that have ended', async () => {
    const [one, other] = [new Inbox(), new Inbox()];
    const end = await listener.listen('News "quoted"', one.put);
    await listener.listen('News "quoted"', other.put);
    await notify('News "quoted"', 'first');
    expect([await one.next(), await other.next()]).toEqual(['first', 'first']);
    await end();
    await notify('News "quoted"', 'second');
    expect(await other.next()).toBe('second');
    expect(one.waiting).toEqual([]);
  });

  it('goes on after a subscriber that throws', async () => {
    const inbox = new Inbox();
    await listener.listen('news', () => {
      throw new Error('on purpose');
    });
    await listener.listen('news', inbox.put);
    await notify('news', 'still here');
    expect(await inbox.next()).toBe('still here');
  });

  it('H1: connects again when the connection breaks, and says that notices may have been missed', async () => {
    const inbox = new Inbox();
    await listener.listen('news', inbox.put);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = 'eyrie listener' AND datname = current_database()`);
    expect(await inbox.next()).toBe('');
    await notify('news', 'after the break');
    expect(await inbox.next()).toBe('after the break');
  });

  it('notices a peer that has vanished without a word', async () => {
    const proxy = await TcpProxy.to(cluster.url);
    const impatient = new Listener(proxy.url, { connectTimeoutMs: 200, heartbeatMs: 50 });
    const inbox = new Inbox();
    await impatient.listen('news', inbox.put);
    proxy.swallow();
    expect(await inbox.next()).toBe('');
    await impatient.close();
    await proxy.close();
  });

  it('gives up waiting for a connection when it is closed', async () => {
    const hopeless = new Listener('postgresql://nobody@127.0.0.1:1/none', { connectTimeoutMs: 100 });
    const listening = hopeless.listen('news', () => undefined);
    await Promise.all([expect(listening).rejects.toThrow('The listener was closed'), hopeless.close()]);
  });
});

/** Collects payloads and hands them out in order. */
class Inbox {
  readonly waiting: string[] = [];
  private wake = () => {};
  readonly put = (payload: string) => {
    this.waiting.push(payload);
    this.wake();
  };

  async next(): Promise<string> {
    while (this.waiting.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.waiting.shift()!;
  }
}
