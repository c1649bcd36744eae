import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Problem } from 'eyrie/server';
import type { RateLimit } from './gcra.js';
import { MemoryLimiter } from './limiter.js';
import { RateLimits } from './rate-limits.js';

const apiLimit = { perSecond: 10, burst: 3 };
let now = 0;

/** One request: the headers of its answer, and the problem, if any. */
async function charge(limits: RateLimits, limitClass: 'api' | 'login' | 'ingest' = 'api', client = 'key:1') {
  const headers: Record<string, string> = {};
  const reply = { header: (name: string, value: string) => (headers[name] = value) };
  const problem = await limits.charge(reply, limitClass, client).then(
    () => undefined,
    (error: unknown) => error as Problem,
  );
  return { headers, problem };
}

beforeEach(() => {
  Logger.overrideLogger(false);
  now = 1_000_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => void jest.restoreAllMocks());

describe('rate limits', () => {
  it('I3: are told in headers, and are a problem with Retry-After beyond them', async () => {
    const limits = new RateLimits({ apiLimit });
    expect((await charge(limits)).headers).toEqual({
      'ratelimit-policy': '"api";q=3;w=1',
      ratelimit: '"api";r=2;t=1',
    });
    await charge(limits);
    await charge(limits);
    const { headers, problem } = await charge(limits);
    expect(headers.ratelimit).toBe('"api";r=0;t=1');
    expect(problem).toBeInstanceOf(Problem);
    expect([problem?.getStatus(), problem?.slug, problem?.headers]).toEqual([
      429,
      'too-many-requests',
      { 'Retry-After': '1' },
    ]);
    now += 100;
    expect((await charge(limits)).problem).toBeUndefined();
  });

  it('I3: are of a class and of a client', async () => {
    const limits = new RateLimits({ apiLimit, loginLimit: { perSecond: 1, burst: 1 } });
    expect((await charge(limits, 'login')).problem).toBeUndefined();
    expect((await charge(limits, 'login')).problem).toBeDefined();
    expect((await charge(limits, 'api')).problem).toBeUndefined();
    expect((await charge(limits, 'login', 'network:192.0.2.1')).problem).toBeUndefined();
    expect((await charge(limits, 'ingest')).headers).toEqual({});
  });
});

describe('shared rate limits', () => {
  it('I3: are asked for once until a refused client may come again', async () => {
    const shared = new MemoryLimiter({ now: () => now });
    const spend = jest.spyOn(shared, 'spend');
    const limits = new RateLimits({ apiLimit }, shared);
    for (let index = 0; index < 50; index++) await charge(limits);
    expect(spend).toHaveBeenCalledTimes(4);
    now += 100;
    expect((await charge(limits)).problem).toBeUndefined();
    expect((await charge(limits, 'api', 'key:2')).problem).toBeUndefined();
    expect(spend).toHaveBeenCalledTimes(6);
  });

  it('I3: hold for each process alone while they cannot be shared, and that is said once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    let isDown = true;
    const shared = {
      spend: (_key: string, _limit: RateLimit) =>
        isDown
          ? Promise.reject(new Error('down'))
          : Promise.resolve({ isAllowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1 }),
    };
    const limits = new RateLimits({ apiLimit }, shared);
    const problems = [];
    for (let index = 0; index < 5; index++) problems.push((await charge(limits)).problem?.getStatus());
    expect(problems).toEqual([undefined, undefined, undefined, 429, 429]);
    isDown = false;
    expect((await charge(limits)).problem).toBeUndefined();
    expect([warn, log].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });
});
