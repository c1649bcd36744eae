import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisConnection } from 'eyrie/cache';
import { EventWakes } from 'eyrie/realtime';
import { testApi, type TestApi } from '../../../test/harness/api.js';
import { eventually } from '../../../test/harness/eventually.js';
import { REDIS_LIMIT_MS, testRedis } from '../../../test/harness/redis.js';

let api: TestApi;
beforeAll(async () => {
  const { url, prefix } = await testRedis();
  api = await testApi({
    worker: true,
    config: 'route: { receiver: a, group_wait: 0s, group_interval: 1s }\nreceivers: [{ name: a }]',
    env: { REDIS_URL: url, CACHE_PREFIX: prefix, REDIS_COMMAND_TIMEOUT: '2s' },
  });
  for (const { app } of [api, { app: api.worker! }])
    await eventually(() => app.get(RedisConnection).state === 'connected');
}, REDIS_LIMIT_MS);
afterAll(() => api.close());

describe('H10: what the worker writes', () => {
  it('is live in the api at once, not when that looks by itself', async () => {
    let heard = 0;
    const end = api.app.get(EventWakes).onWake(() => heard++);
    await eventually(() => heard > 0); // it listens to Redis now
    const endsAt = new Date(Date.now() + 2_000).toISOString();
    const { status } = await api.ask('POST', '/api/v1/alerts', { body: { name: 'Brief', endsAt } });
    expect(status).toBe(202);
    await sleep(500);
    const before = heard;
    // Nobody asks the api for anything any more: only the worker's flush, which finds the alert over, can be heard.
    await eventually(() => heard > before, 10_000);
    const [alert] = ((await api.ask('GET', '/api/v1/alerts?state=resolved')).json as { alerts: { name: string }[] })
      .alerts;
    expect(alert?.name).toBe('Brief');
    end();
  });
});
