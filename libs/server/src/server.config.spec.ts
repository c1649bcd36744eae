import { describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from 'eyrie/config';
import { serverSettings } from './server.config.js';

function read(env: Record<string, string>) {
  return loadSettings({ server: serverSettings }, { env: { ENVIRONMENT: 'test', ...env }, cwd: '/' }).server;
}

function faults(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe('serverSettings', () => {
  it('B1: is one process that is never recycled unless told', () => {
    expect(read({})).toMatchObject({ concurrency: 1, maxRequests: 0, maxRequestsJitter: 0, crashLimit: 5 });
    expect(read({ WEB_CONCURRENCY: 'auto' }).concurrency).toBe('auto');
    expect(read({ WEB_CONCURRENCY: '4', MEMORY_PER_PROCESS: '300MiB' })).toMatchObject({
      concurrency: 4,
      memoryPerProcess: 300 * 2 ** 20,
    });
  });

  it('B3: the limits are settings', () => {
    const env = { LISTEN_BACKLOG: '511', HANDLER_TIMEOUT: '0', KEEP_ALIVE_TIMEOUT: '90s', BODY_LIMIT: '1MiB' };
    expect(read(env)).toMatchObject({
      backlog: 511,
      handlerTimeoutMs: 0,
      keepAliveTimeoutMs: 90_000,
      bodyLimit: 2 ** 20,
    });
  });

  it.each<[string, Record<string, string>]>([
    ['WEB_CONCURRENCY', { WEB_CONCURRENCY: '0' }],
    ['WEB_CONCURRENCY', { WEB_CONCURRENCY: 'many' }],
    ['MAX_REQUESTS_JITTER', { MAX_REQUESTS: '100', MAX_REQUESTS_JITTER: '100' }],
    ['MAX_REQUESTS_JITTER', { MAX_REQUESTS_JITTER: '1' }],
    ['LISTEN_BACKLOG', { LISTEN_BACKLOG: '0' }],
    ['CRASH_LIMIT', { CRASH_LIMIT: '0' }],
    ['HEADERS_TIMEOUT', { HEADERS_TIMEOUT: '30s', REQUEST_TIMEOUT: '20s' }],
    ['TRUST_PROXY', { TRUST_PROXY: 'none,loopback' }],
    ['CORS_ORIGINS', { ENVIRONMENT: 'production', CORS_ORIGINS: '*' }],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://example.org/path' }],
  ])('A2: refuses a %s that makes no sense (%#)', (name, env) => {
    expect(faults(env)).toEqual([name]);
  });
});
