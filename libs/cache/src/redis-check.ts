import type { HealthCheck } from 'eyrie/health';
import type { RedisConnection } from './redis-connection.js';

const limitMs = 1_000;

/** Redis as health shows it. Its loss degrades and no more: everything that uses it goes on without. */
export function redisCheck(redis: RedisConnection) {
  return {
    name: 'redis',
    critical: false,
    timeoutMs: 2 * limitMs + 500,
    check: async () => {
      const asked = performance.now();
      await redis.run((client) => client.ping(), { limitMs });
      const pingMs = Math.round((performance.now() - asked) * 100) / 100;
      return { details: { pingMs, ...numbersOf(await redis.run((client) => client.info(), { limitMs })) } };
    },
  } satisfies HealthCheck;
}

const shown = {
  connected_clients: 'connectedClients',
  used_memory: 'usedMemoryBytes',
  uptime_in_seconds: 'uptimeSeconds',
};

/** What INFO says that is worth showing. */
export function numbersOf(info: string): Record<string, number> {
  const fields = new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string | undefined]));
  const found = Object.entries(shown).map(([name, as]) => [as, Number(fields.get(name) ?? NaN)] as const);
  return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value)));
}
