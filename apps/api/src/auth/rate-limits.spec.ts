import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type AuthOptions } from 'eyrie/auth';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { AuthApp, operatorKey } from '../../fixtures/auth-app.js';

let test: TestDatabase;
let app: AuthApp;

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await testDatabase();
  app = await AuthApp.start(test.url);
});
beforeEach(() => app.reset());
afterAll(async () => {
  await app?.close();
  await test?.drop();
});

describe('rate limits', () => {
  const open: AuthApp[] = [];
  afterAll(() => Promise.all(open.map((each) => each.close())));
  const started = async (options: Partial<AuthOptions>) => {
    open.push(await AuthApp.start(test.url, options));
    return open.at(-1)!;
  };
  const counts = async (count: number, one: () => Promise<{ status: number }>) => {
    const statuses = (await Promise.all(Array.from({ length: count }, one))).map(({ status }) => status);
    return statuses.filter((status) => status === 429).length;
  };

  it('I3: are of each caller for the API, of each address for those without one, and not for those who raise alerts', async () => {
    const limited = await started({ apiLimit: { perSecond: 0.01, burst: 20 } });
    const { accessToken } = await app.logIn();
    for (const as of [operatorKey, accessToken, undefined]) {
      expect(await counts(25, () => limited.ask('GET', '/probe/read', { as }))).toBe(5);
    }
    expect(await counts(50, () => limited.ask('POST', '/probe/ingest', { as: operatorKey }))).toBe(0);
    expect(await counts(5, () => limited.ask('POST', '/probe/ingest', { as: 'eyr_unknown-key' }))).toBe(5);
    const answer = await limited.ask('GET', '/probe/read', { as: operatorKey });
    expect(answer.headers).toMatchObject({
      ...{ 'retry-after': expect.stringMatching(/^(9\d|100)$/) as unknown, 'ratelimit-policy': '"api";q=20;w=2000' },
      ...{ ratelimit: expect.stringMatching(/^"api";r=0;t=\d+$/) as unknown },
    });
    expect(answer.json).toMatchObject({ type: 'urn:eyrie:problem:too-many-requests', status: 429 });
  });

  it('I3: are stricter for logins, whatever else the client shows', async () => {
    const limited = await started({ loginLimit: { perSecond: 0.01, burst: 5 } });
    const body = { email: 'nobody@example.org', password: 'wrong' };
    expect(await counts(8, () => limited.ask('POST', '/api/auth/login', { as: operatorKey, body }))).toBe(3);
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    expect((await limited.ask('POST', '/api/auth/login', { headers, body })).status).toBe(401);
  });
});
