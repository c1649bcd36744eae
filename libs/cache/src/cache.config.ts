import { defineSettings, duration, type Fault, setting, size, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

/** Where the cache is, and how long it may keep anybody waiting. */
export const cacheSettings = defineSettings(
  {
    url: setting(
      'REDIS_URL',
      z.url({ protocol: /^rediss?$/, error: 'a URL that begins with redis:// or rediss://' }).optional(),
      {
        description:
          'Redis 6.2 or later, or Valkey; rediss:// for TLS. Where it is missing, each process caches in its own memory.',
        secret: true,
        example: 'redis://:password@redis:6379/0',
      },
    ),
    prefix: setting('CACHE_PREFIX', z.string().default('eyrie:'), {
      description: 'What the names of all keys and channels in Redis begin with, so that installations can share one.',
    }),
    commandTimeoutMs: setting('REDIS_COMMAND_TIMEOUT', duration({ min: '1ms', max: '10s' }).default(25), {
      description:
        'The most that a request waits for an answer of Redis before it goes on without. A Redis that cannot keep it counts as down.',
    }),
    connectTimeoutMs: setting('REDIS_CONNECT_TIMEOUT', duration({ min: '10ms', max: '1m' }).default(2_000), {
      description: 'How long an attempt to connect to Redis may take, TLS and login included. No request waits for it.',
    }),
    valueSize: setting('CACHE_VALUE_SIZE', size({ min: '1KiB', max: '64MiB' }).default(2 ** 20), {
      description: 'The largest value that is cached, as encoded; a larger one is loaded each time.',
    }),
    memoryEntries: setting('CACHE_MEMORY_ENTRIES', z.coerce.number().int().min(1).default(10_000), {
      description: 'Without Redis: the most values that a process keeps; the least recently used go first.',
    }),
    memorySize: setting('CACHE_MEMORY_SIZE', size({ min: '64KiB' }).default(32 * 2 ** 20), {
      description: 'Without Redis: the most memory that the values of a process take.',
    }),
  },
  {
    check({ url, valueSize, memorySize }): Fault[] {
      const faults: Fault[] = [];
      const fault = url === undefined ? undefined : faultOf(new URL(url));
      if (fault !== undefined) faults.push({ name: 'REDIS_URL', wanted: fault });
      if (valueSize > memorySize) faults.push({ name: 'CACHE_VALUE_SIZE', wanted: 'at most CACHE_MEMORY_SIZE' });
      return faults;
    },
  },
);

export type CacheSettings = SettingsOf<typeof cacheSettings>;

function faultOf({ username, password, pathname }: URL): string | undefined {
  if (!/^\/?\d*$/.test(pathname)) return 'a URL whose path is the number of a database';
  try {
    decodeURIComponent(username + password);
    return undefined;
  } catch {
    return 'a URL whose user and password are percent-encoded';
  }
}
