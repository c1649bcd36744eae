import { describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { loadSettings } from 'eyrie/config';
import { nextAttempt } from './backoff.js';
import { notifySettings } from './notify.config.js';

const load = (env: Record<string, string>) => loadSettings({ notify: notifySettings }, { env, cwd: tmpdir() }).notify;

describe('the settings of notifications', () => {
  it('H7: are those of the back-off, with time for a night', () => {
    const settings = load({});
    expect(settings).toMatchObject({
      timeoutMs: 10_000,
      firstMs: 1_000,
      factor: 2,
      maxMs: 300_000,
      giveUpAfterMs: 86_400_000,
    });
    expect(settings.signingSecret).toBeUndefined();
    expect(nextAttempt({ attempt: 12, elapsedMs: 0 }, settings, () => 0.5)).toEqual({ retry: true, delayMs: 150_000 });
  });

  it('A2: are checked, each and against each other', () => {
    expect(() => load({ WEBHOOK_SIGNING_SECRET: 'short' })).toThrow(/WEBHOOK_SIGNING_SECRET/);
    expect(() => load({ NOTIFY_TIMEOUT: '0' })).toThrow(/NOTIFY_TIMEOUT/);
    expect(() => load({ NOTIFY_RETRY_FIRST: '10m' })).toThrow(/NOTIFY_RETRY_FIRST/);
  });
});
