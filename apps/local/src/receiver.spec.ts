import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeNotification } from './notification.js';
import { LocalReceiver } from './receiver.js';
import { Screen } from './screen.js';

const alert = {
  status: 'firing' as const,
  labels: { alertname: 'DiskAlmostFull', severity: 'high', instance: 'db-1' },
  annotations: { summary: 'db-1 has 4 % left' },
  startsAt: '2026-11-22T10:00:00.000Z',
  endsAt: '0001-01-01T00:00:00Z',
};
const payload = { version: '4', receiver: 'local', status: 'firing' as const, alerts: [alert], truncatedAlerts: 0 };

describe('a notification on the screen', () => {
  it('is one block, with the time since the alert was raised', () => {
    expect(describeNotification(payload, new Date('2026-11-22T10:00:00.014Z'))).toBe(
      [
        '┌ 10:00:00.014 notification for "local"',
        '│ FIRING DiskAlmostFull, 14 ms after it was raised',
        '│   severity=high  instance=db-1',
        '│   summary: db-1 has 4 % left',
        '└',
      ].join('\n'),
    );
  });

  it('counts from the end for a resolved alert, in larger units when it is long ago, and tells what was left out', () => {
    const resolved = { ...alert, status: 'resolved' as const, endsAt: '2026-11-22T10:05:00Z' };
    const text = describeNotification(
      { ...payload, alerts: [resolved], truncatedAlerts: 3 },
      new Date('2026-11-22T10:06:30.2Z'),
    );
    expect(text).toContain('│ RESOLVED DiskAlmostFull, 1m30s after it was resolved');
    expect(text).toContain('│ and 3 more');
  });

  it('cannot steer the terminal', () => {
    const hostile = { ...alert, labels: { alertname: '\u001b[2Jgone' }, annotations: { summary: 'one\ntwo\u0007' } };
    const text = describeNotification({ ...payload, alerts: [hostile] }, new Date());
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text.split('\n')).toHaveLength(4);
  });
});

describe('LocalReceiver', () => {
  let shown = '';
  let receiver: LocalReceiver;
  beforeEach(async () => {
    shown = '';
    const out = new Writable({ write: (chunk: Buffer, _, done) => ((shown += chunk.toString()), done()) });
    receiver = await LocalReceiver.start(0, new Screen(out, out));
  });
  afterEach(() => receiver.close());

  const post = async (body: string) =>
    (await fetch(`http://127.0.0.1:${receiver.port}/`, { method: 'POST', body })).status;

  it('H7: takes what a webhook integration sends, and shows it', async () => {
    expect(await post(JSON.stringify(payload))).toBe(204);
    expect(shown).toContain('FIRING DiskAlmostFull');
  });

  it.each(['no json', '{"receiver": "local"}', `"${'x'.repeat(6 * 2 ** 20)}"`])(
    'refuses what is no notification',
    async (body) => {
      expect(await post(body)).toBe(400);
      expect(shown).toMatch(/sent something that is no notification: /);
    },
  );
});
