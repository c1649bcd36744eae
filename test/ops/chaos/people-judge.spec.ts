import { describe, expect, it } from '@jest/globals';
import type { AlertStatus, Delivery } from './facts.ts';
import { FIRST, NEXT, type Story } from './people-facts.ts';
import { awaited, judgePeople } from './people-judge.ts';

const told = (path: string, status: AlertStatus, options: Partial<Delivery> = {}): Delivery => ({
  at: 5,
  path,
  key: `${path}-${status}`,
  bodyHash: '',
  alerts: [{ id: 'a', status }],
  deliveredAt: 6,
  ...options,
});
const story = (kind: Story['kind'], rest: Partial<Story> = {}): Story => ({
  id: 'a',
  kind,
  raisedAt: 1,
  uncertain: false,
  ...rest,
});

/** The promises that a run breaks. */
function broken(one: Story, ...deliveries: Delivery[]): string[] {
  return judgePeople({ stories: [one], refusals: [], deliveries })
    .filter(({ violations }) => violations.length > 0)
    .map(({ promise }) => promise);
}

describe('the judgement of what people were told', () => {
  it('H5: a silence holds until it is taken back, and not for longer', () => {
    expect(broken(story('silenced'))).toEqual([]);
    expect(broken(story('silenced'), told(FIRST, 'firing'))).toEqual(['what is silenced is not told']);
    expect(broken(story('silenced'), told(FIRST, 'firing', { deliveredAt: undefined }))).toEqual([
      'what is silenced is not told',
    ]);
    const ended = story('silenced', { unsilencedAt: 4, unsilenced: true });
    expect(broken(ended, told(FIRST, 'firing'))).toEqual([]);
    expect(broken(ended)).toEqual(['what is silenced no longer is told']);
    expect(broken(ended, told(FIRST, 'firing', { at: 3 }))).toEqual(['what is silenced is not told']);
  });

  it('H6: what nobody acknowledges is told to the next, what somebody does is not', () => {
    const both = [told(FIRST, 'firing'), told(NEXT, 'firing')];
    expect(broken(story('paged'), ...both)).toEqual([]);
    expect(broken(story('paged'), told(FIRST, 'firing'))).toEqual(['what nobody acknowledges is told to the next']);
    const acknowledged = story('paged', { acknowledgedInTime: true, recorded: 1 });
    expect(broken(acknowledged, told(FIRST, 'firing'))).toEqual([]);
    expect(broken(acknowledged, ...both)).toEqual(['what is acknowledged goes no further']);
    const late = story('paged', { acknowledgedInTime: false });
    expect(broken(late, told(FIRST, 'firing'))).toEqual([]);
    expect(broken(late, ...both)).toEqual([]);
  });

  it('H6: an acknowledgement is in the history, once', () => {
    const one = (recorded: number, uncertain = false) =>
      broken(story('paged', { acknowledgedInTime: true, recorded, uncertain }), told(FIRST, 'firing'));
    const promise = 'an acknowledgement is in the history, once';
    expect([one(0), one(1), one(2)]).toEqual([[promise], [], [promise]]);
    expect([one(0, true), one(2, true)]).toEqual([[promise], []]);
  });

  it('H9: a heartbeat that stays away is told, and its return', () => {
    const promise = 'a heartbeat that stays away is told, and its return';
    expect(broken(story('heartbeat'))).toEqual([promise]);
    expect(broken(story('heartbeat'), told(FIRST, 'firing'))).toEqual([]);
    const well = story('heartbeat', { well: true });
    expect(broken(well, told(FIRST, 'firing'))).toEqual([promise]);
    expect(broken(well, told(FIRST, 'firing'), told(FIRST, 'resolved'))).toEqual([]);
  });

  it('H8: nobody is told twice, but by repeats with the same key', () => {
    const [one, repeat] = [told(NEXT, 'firing'), told(NEXT, 'firing', { at: 7 })];
    expect(broken(story('paged'), told(FIRST, 'firing'), one, repeat)).toEqual([]);
    const other = told(NEXT, 'firing', { key: 'another' });
    expect(broken(story('paged'), told(FIRST, 'firing'), one, other)).toEqual(['nobody is told twice']);
  });

  it('takes a refusal for a fault', () => {
    const verdicts = judgePeople({ stories: [], refusals: ['POST /api/v2/silences: 403'], deliveries: [] });
    expect(verdicts.flatMap(({ violations }) => violations)).toEqual(['POST /api/v2/silences: 403']);
  });

  it('says what is still to come', () => {
    expect(awaited({ stories: [story('paged')], deliveries: [told(FIRST, 'firing')] })).toHaveLength(1);
    expect(awaited({ stories: [story('paged', { raisedAt: undefined })], deliveries: [] })).toEqual([]);
  });
});
