import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { keys, testApi, type TestApi } from '../../../../test/harness/api.js';
import { Receiver } from '../../../../test/harness/receiver.js';

Logger.overrideLogger(false);

let api: TestApi;
let alone: TestApi;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  const config = `
route: { receiver: 'team / a' }
receivers: [{ name: 'team / a', webhook_configs: [{ url: '${receiver.url}/secret-token' }] }, { name: nobody }]`;
  api = await testApi({ config, worker: true });
  alone = await testApi({ config, env: { NOTIFY_TIMEOUT: '100ms' } });
});
afterEach(() => receiver.reset());
afterAll(async () => {
  await api.close();
  await alone.close();
  await receiver.close();
});

const test = (name: string, on = api) => on.ask('POST', `/api/v1/receivers/${encodeURIComponent(name)}/test`);

describe('the receivers API', () => {
  it('H7: lists receivers with the state of each integration, and no secrets', async () => {
    const { status, json, text } = await api.ask('GET', '/api/v1/receivers');
    expect(status).toBe(200);
    expect(json).toEqual({
      receivers: [
        {
          name: 'team / a',
          integrations: [
            expect.objectContaining({
              integration: 'team / a/webhook/0',
              type: 'webhook',
              target: new URL(receiver.url).host,
              circuit: 'closed',
              notifications: { inFlight: 0, pending: 0, waiting: 0, dead: 0 },
            }),
          ],
        },
        { name: 'nobody', integrations: [] },
      ],
    });
    expect(text).not.toContain('secret-token');
  });

  it('H8: sends a test notification and answers how it went', async () => {
    const answer = await test('team / a');
    expect(answer).toMatchObject({
      status: 200,
      json: { results: [{ integration: 'team / a/webhook/0', outcome: 'delivered', error: null }] },
    });
    expect(receiver.received).toHaveLength(1);
    receiver.replies.push({ status: 500 });
    expect((await test('team / a')).json).toMatchObject({
      results: [{ outcome: 'failed', error: expect.stringContaining('answered 500') }],
    });
    expect(await test('nobody')).toMatchObject({ status: 200, json: { results: [] } });
  });

  it('H8: says so when no worker answers', async () => {
    expect(await test('team / a', alone)).toMatchObject({
      status: 504,
      json: { type: expect.stringContaining('no-worker') },
    });
  });

  it.each(['unknown', '__proto__', '../..', '\u0000', 'x'.repeat(90)])('I4: knows no receiver %j', async (name) => {
    const { status } = await test(name);
    expect([400, 404]).toContain(status);
  });

  it('I2: needs the scopes', async () => {
    const read = await api.ask('GET', '/api/v1/receivers', { key: keys.ingest });
    const send = await api.ask('POST', '/api/v1/receivers/nobody/test', { key: keys.ingest });
    const nobody = await api.ask('POST', '/api/v1/receivers/nobody/test', { key: null });
    expect([read.status, send.status, nobody.status]).toEqual([403, 403, 401]);
  });
});
