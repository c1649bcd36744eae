import { describe, expect, it } from '@jest/globals';
import { loadSettings } from 'eyrie/config';
import { defaultHealthSettings, healthSettings } from './health.config.js';

const load = (env: Record<string, string>) =>
  loadSettings({ health: healthSettings }, { env: { SECRETS_DIR: '', ...env }, cwd: '/nowhere' }).health;

describe('healthSettings', () => {
  it('A2: the defaults of an app without the slice are those of an empty environment', () => {
    expect(defaultHealthSettings()).toEqual(load({}));
    expect(load({})).toMatchObject({ cacheMs: 30_000, readyCacheMs: 1_000, diskDegraded: 90, diskUnhealthy: 95 });
  });

  it('F2: HTTP dependencies are URLs, named or not', () => {
    const texts = ['payments=https://pay.example.org/health?a=b', 'http://10.0.0.1:8080/'];
    expect(load({ HEALTH_HTTP_DEPENDENCIES: texts.join(',') }).httpDependencies).toEqual(texts);
  });

  it.each([
    ['HEALTH_HTTP_DEPENDENCIES', 'payments=https://user:hunter2@pay.example.org/'],
    ['HEALTH_HTTP_DEPENDENCIES', 'ftp://example.org/'],
    ['HEALTH_HTTP_DEPENDENCIES', 'example.org'],
    ['HEALTH_HTTP_DEPENDENCIES', 'a b=http://example.org/'],
    ['HEALTH_HTTP_DEPENDENCIES', 'a=http://one.example.org/,a=http://two.example.org/'],
    ['HEALTH_READY_CACHE', '2s'],
    ['DISK_DEGRADED', '96'],
    ['MEMORY_DEGRADED', '5'],
    ['MEMORY_UNHEALTHY', '101'],
  ])('A2: refuses %s=%s', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(new RegExp(`${name}: wanted`));
    expect(() => load({ [name]: value })).not.toThrow(/hunter2/);
  });
});
