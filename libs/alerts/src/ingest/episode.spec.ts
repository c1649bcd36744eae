import { describe, expect, it } from '@jest/globals';
import { type IncomingAlert } from '../alert.js';
import { decide, type Episode } from './episode.js';

const NOW = 1_000;
const firing: Episode = { id: 'e', state: 'firing', startsAt: 500, endsAt: 1_500, timeout: false };
const ended: Episode = { ...firing, state: 'resolved', endsAt: 800 };

function alert(startsAt: number, endsAt: number, more: Partial<IncomingAlert> = {}): IncomingAlert {
  return {
    labels: {},
    annotations: {},
    generatorUrl: '',
    ...{ startsAt, endsAt, timeout: false, startUnknown: false },
    ...more,
  };
}

describe('H3: what an alert means for the episode of its fingerprint', () => {
  it.each<[string, Episode | undefined, IncomingAlert, ReturnType<typeof decide>]>([
    ['opens the first episode', undefined, alert(900, 2_000), { kind: 'open' }],
    ['records an end that nobody saw begin', undefined, alert(700, 900), { kind: 'record' }],
    ['goes on, until the later end', firing, alert(500, 2_000), { kind: 'continue', startsAt: 500, endsAt: 2_000 }],
    ['goes on with the earlier start', firing, alert(300, 1_200), { kind: 'continue', startsAt: 300, endsAt: 1_500 }],
    ['opens another after the end', ended, alert(801, 2_000), { kind: 'open' }],
    ['opens another where the time of the last was up', firing, alert(1_501, 2_000), { kind: 'open' }],
    ['reopens one that it began in', ended, alert(500, 2_000), { kind: 'reopen', startsAt: 500, endsAt: 2_000 }],
    ['ends', firing, alert(500, 1_000), { kind: 'resolve', startsAt: 500, endsAt: 1_000 }],
    ['ends earlier than thought', firing, alert(400, 900), { kind: 'resolve', startsAt: 400, endsAt: 900 }],
    ['is stale when it ended before', firing, alert(100, 499), { kind: 'stale' }],
    ['repeats an end', ended, alert(500, 800), { kind: 'repeat', startsAt: 500, endsAt: 800 }],
    ['moves an end to the latest', ended, alert(500, 950), { kind: 'repeat', startsAt: 500, endsAt: 950 }],
    ['records another end after the end', ended, alert(900, 950), { kind: 'record' }],
  ])('%s', (_title, episode, sent, expected) => {
    expect(decide(episode, sent, NOW)).toEqual(expected);
  });

  it('an end without a start ends whatever is open, and never before it began', () => {
    const unknown = { startUnknown: true };
    expect(decide(firing, alert(900, 900, unknown), NOW)).toEqual({ kind: 'resolve', startsAt: 500, endsAt: 900 });
    expect(decide(firing, alert(400, 400, unknown), NOW)).toEqual({ kind: 'resolve', startsAt: 500, endsAt: 500 });
    expect(decide(ended, alert(900, 900, unknown), NOW)).toEqual({ kind: 'repeat', startsAt: 500, endsAt: 900 });
    expect(decide(undefined, alert(900, 900, unknown), NOW)).toEqual({ kind: 'record' });
  });

  describe('an end that is only resolve_timeout', () => {
    const timeout = { timeout: true };

    it('is renewed', () => {
      const waiting = { ...firing, timeout: true };
      expect(decide(waiting, alert(900, 1_700, timeout), NOW)).toMatchObject({ kind: 'continue', endsAt: 1_700 });
    });

    it('gives way to one that is said, also to an earlier one', () => {
      const waiting = { ...firing, timeout: true };
      expect(decide(waiting, alert(500, 1_200), NOW)).toMatchObject({ kind: 'continue', endsAt: 1_200 });
    });

    it('does not shorten one that was said', () => {
      expect(decide(firing, alert(900, 1_300, timeout), NOW)).toMatchObject({ kind: 'continue', endsAt: 1_500 });
    });
  });
});
