import { createHash } from 'node:crypto';
import type { RedisConnection } from 'eyrie/cache';
import type { RateLimit, Spent } from './gcra.js';
import type { SharedLimiter } from './limiter.js';

/** `spendOne` of gcra.ts, in one step and by Redis' own clock, for those of the processes differ. */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local following = arrival + interval
local early = following - interval * burst - now
if early > interval / 1000 then return { 0, 0, math.ceil(early), math.ceil(arrival - now) } end
redis.call('SET', KEYS[1], string.format('%.3f', following), 'PX', math.ceil(following - now))
return { 1, math.floor((now + interval * burst - following) / interval + 0.001), 0, math.ceil(following - now) }`;

const sha = createHash('sha1').update(script).digest('hex');

type Reply = [isAllowed: number, remaining: number, retryAfterMs: number, resetMs: number];

/** Counts requests in Redis, for all processes together. Fails while Redis is away, at once or within its time limit. */
export class RedisLimiter implements SharedLimiter {
  constructor(private readonly redis: Pick<RedisConnection, 'command' | 'key'>) {}

  async spend(key: string, { perSecond, burst }: RateLimit): Promise<Spent> {
    const parameters = [1, this.redis.key('limit', key), 1_000 / perSecond, burst] as const;
    const reply = await this.redis.command<Reply>('EVALSHA', sha, ...parameters).catch((error: unknown) => {
      // Redis knows a script only until its next start.
      if (!String(error).includes('NOSCRIPT')) throw error;
      return this.redis.command<Reply>('EVAL', script, ...parameters);
    });
    const [isAllowed, remaining, retryAfterMs, resetMs] = reply;
    return { isAllowed: isAllowed === 1, remaining, retryAfterMs, resetMs };
  }
}
