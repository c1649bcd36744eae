import { describe, expect, it } from '@jest/globals';
import type { AlertStatus, Delivery, Facts, ListedAlert, Outcome, SentAlert } from './facts.ts';
import { judge, outstanding } from './judge.ts';

type Told = [status: AlertStatus, options?: Partial<Delivery>];

const sent = (id: string, posts: [AlertStatus, Outcome][], valid = true): SentAlert => ({
  id,
  valid,
  posts: posts.map(([status, outcome]) => ({ status, outcome, at: 1 })),
});
const told = (id: string, ...[status, options]: Told): Delivery => ({
  at: 2,
  path: '/hook',
  key: `${id}-${status}`,
  bodyHash: `${id}-${status}`,
  alerts: [{ id, status }],
  deliveredAt: 3,
  ...options,
});
const listed = (id: string, occurrences: number): ListedAlert => ({ id, state: 'firing', occurrences });

function facts(alerts: SentAlert[], deliveries: Delivery[]): Facts {
  return { sent: new Map(alerts.map((alert) => [alert.id, alert])), deliveries, kills: [], deaths: [] };
}

/** The promises that a run breaks. */
function broken(run: Facts, list: ListedAlert[], dead: string[] = []): string[] {
  return judge(run, list, dead)
    .filter(({ violations }) => violations.length > 0)
    .map(({ promise }) => promise);
}

describe('the judgement of a chaos run', () => {
  const accepted = sent('a', [['firing', 'accepted']]);
  const ended = sent('a', [
    ['firing', 'accepted'],
    ['resolved', 'accepted'],
  ]);

  it('H1: accepts a run in which all is told, once or again with the same key and body', () => {
    const run = facts(
      [ended],
      [told('a', 'firing', { deliveredAt: undefined }), told('a', 'firing'), told('a', 'resolved')],
    );
    expect(broken(run, [listed('a', 2)])).toEqual([]);
    expect(outstanding(run)).toEqual([]);
  });

  it('H1: finds an accepted alert that never arrived, or whose request was never answered with 200', () => {
    for (const deliveries of [[], [told('a', 'firing', { deliveredAt: undefined })]]) {
      const run = facts([accepted], deliveries);
      expect(broken(run, [listed('a', 1)])).toEqual(['every alert answered 2xx is delivered as firing']);
      expect(outstanding(run)).toHaveLength(1);
    }
  });

  it('H1: finds a resolution that was accepted and never told, unless the alert was never told either', () => {
    expect(broken(facts([ended], [told('a', 'firing')]), [listed('a', 2)])).toEqual([
      'every resolution answered 2xx is delivered',
    ]);
    expect(broken(facts([ended], []), [listed('a', 2)])).toEqual([]);
  });

  it('H1: finds what was refused among the deliveries and in the list, and what nobody sent', () => {
    const refused = sent('r', [['firing', 'refused']], false);
    const promise = 'nothing that was refused is delivered or listed';
    expect(broken(facts([refused], [told('r', 'firing')]), [])).toEqual([promise]);
    expect(broken(facts([refused], []), [listed('r', 1)])).toEqual([promise]);
    expect(broken(facts([], [told('x', 'firing')]), [])).toEqual([promise]);
    expect(broken(facts([refused], []), [])).toEqual([]);
  });

  it('H2: finds a valid alert that was refused and an invalid one that was accepted', () => {
    const promise = 'what is invalid is refused, what is valid is not';
    expect(broken(facts([sent('a', [['firing', 'refused']])], []), [])).toEqual([promise]);
    const invalid = sent('a', [['firing', 'accepted']], false);
    expect(broken(facts([invalid], [told('a', 'firing')]), [listed('a', 1)])).toContain(promise);
  });

  it('H1: finds a repeat with another body, and a request without a key', () => {
    const promise = 'a repeat carries the same key and the same body';
    const changed = [told('a', 'firing'), told('a', 'firing', { bodyHash: 'other' })];
    expect(broken(facts([accepted], changed), [listed('a', 1)])).toEqual([promise]);
    expect(broken(facts([accepted], [told('a', 'firing', { key: '' })]), [listed('a', 1)])).toEqual([promise]);
  });

  it('H3: finds an alert that two notifications tell', () => {
    const twice = [told('a', 'firing'), told('a', 'firing', { key: 'another', bodyHash: 'another' })];
    expect(broken(facts([accepted], twice), [listed('a', 1)])).toEqual([
      'an alert and status is told by one notification',
    ]);
  });

  it('H3: finds a firing notice after the resolution', () => {
    const late = [told('a', 'firing'), told('a', 'resolved'), told('a', 'firing')];
    expect(broken(facts([ended], late), [listed('a', 2)])).toEqual(['no firing notice arrives after the resolution']);
  });

  it('H3: finds a lost update, a double one and a double episode, but does not count what is unknown', () => {
    const promise = 'occurrences are the accepted posts';
    const run = facts([ended], [told('a', 'firing'), told('a', 'resolved')]);
    for (const list of [[listed('a', 1)], [listed('a', 3)], [], [listed('a', 2), listed('a', 2)]]) {
      expect(broken(run, list)).toEqual([promise]);
    }
    const unknown = sent('a', [
      ['firing', 'accepted'],
      ['firing', 'unknown'],
    ]);
    expect(broken(facts([unknown], [told('a', 'firing')]), [listed('a', 2)])).toEqual([]);
  });

  it('H7: finds dead letters, and G1: processes that ended by themselves', () => {
    const run = { ...facts([], []), deaths: ['worker-1'] };
    expect(broken(run, [], ['n1'])).toEqual(['no notification is dead', 'no process ends that was not killed']);
  });
});
