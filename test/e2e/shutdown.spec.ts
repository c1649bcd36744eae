import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testApi, type TestApi } from '../harness/api.js';
import { REDIS_LIMIT_MS, testRedis } from '../harness/redis.js';

let api: TestApi;
beforeAll(async () => {
  const { url } = await testRedis();
  api = await testApi({ worker: true, env: { REDIS_URL: url, HEALTH_ALERTS: 'true' } });
}, REDIS_LIMIT_MS);
afterAll(() => api.close());

/** The rows of the table in docs/architecture.md that are true of an app, in order. */
function documented(app: string): string[] {
  const text = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const rows = text.slice(text.indexOf('## Shutdown')).matchAll(/^\| \d+ +\| ([^|]+?) +\| ([^|]+?) +\|/gm);
  return [...rows].filter(([, , of]) => of === 'both' || of === app).map(([, stop]) => stop!);
}

async function stops(app: NestFastifyApplication): Promise<string[]> {
  api.lines.length = 0;
  await app.close();
  return api.lines.flatMap(({ message }) => /^Stopped (.+)$/.exec(message)?.[1] ?? []);
}

describe('the order of stops', () => {
  it.each(['api', 'worker'])('G1: is what docs/architecture.md says, in the %s', async (name) => {
    const app = name === 'api' ? api.app : api.worker!;
    expect(['HTTP server', ...(await stops(app))]).toEqual(documented(name));
  });
});
