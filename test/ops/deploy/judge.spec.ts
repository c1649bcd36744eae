import { describe, expect, it } from '@jest/globals';
import type { AlertStatus, Delivery } from '../chaos/facts.ts';
import type { Failure, LiveSight, Phase, PostedAlert, RunFacts } from './facts.ts';
import { behind, failuresOf, judgeRun, type Ledger } from './judge.ts';

const failure = (options: Partial<Failure> = {}): Failure => ({
  ...{ kind: 'read', what: 'GET /: 502', sentAt: 1_100, endedAt: 1_200 },
  ...options,
});
const phase = (...failures: Failure[]): Phase => ({
  ...{ name: 'rolling', startedAt: 1_000, endedAt: 2_000, latenciesMs: [1, 2] },
  failures,
});
const alert = (id: string, options: Partial<PostedAlert['posts'][number]> = {}): PostedAlert => ({
  id,
  valid: true,
  posts: [{ status: 'firing', outcome: 'accepted', sentAt: 1_100, at: 1_200, ...options }],
});
const told = (id: string, status: AlertStatus = 'firing'): Delivery => ({
  ...{
    at: 2,
    path: '/',
    key: `${id}-${status}`,
    bodyHash: `${id}-${status}`,
    alerts: [{ id, status }],
    deliveredAt: 3,
  },
});
const sight = (seen: number[], options: Partial<LiveSight> = {}): LiveSight => ({
  ...{ client: 'client 1', since: 0, seen, resets: 0, connections: 2 },
  ...options,
});
const run = (options: Partial<Omit<RunFacts, 'sent'>> & { sent?: PostedAlert[] } = {}): RunFacts => ({
  ...{ phases: [], kills: [], deliveries: [], live: [] },
  ...options,
  sent: new Map((options.sent ?? []).map((one) => [one.id, one])),
});
const ledger = (options: Partial<Ledger> = {}): Ledger => ({ alerts: [], deadLetters: [], events: [], ...options });
const listed = (id: string, occurrences: number) => ({ id, state: 'firing', occurrences });

/** The promises that a run breaks. */
const broken = (facts: RunFacts, of = ledger()) =>
  judgeRun(facts, of)
    .filter(({ faults }) => faults.length > 0)
    .map(({ name }) => name);

describe('the judgement of a run of deploys', () => {
  it('O1: accepts a run in which nothing failed and everything was told', () => {
    const facts = run({ phases: [phase()], sent: [alert('a')], deliveries: [told('a')], live: [sight([1, 2])] });
    expect(broken(facts, ledger({ alerts: [listed('a', 1)], events: [1, 2] }))).toEqual([]);
  });

  it('O1: finds a failed request, and says when in its phase', () => {
    const [result] = judgeRun(run({ phases: [phase(failure())] }), ledger());
    expect(result).toEqual({
      name: 'rolling: no request fails',
      faults: ['0.1 s into it, after 100 ms: GET /: 502'],
    });
  });

  it('O1: excuses a comment that a kill met, and counts it; not one before or after, no read, no ingest', () => {
    const kills = [{ from: 1_150, until: 1_160 }];
    const comment = failure({ kind: 'comment' });
    expect(failuresOf(phase(comment), kills)).toEqual({ failed: [], excused: [comment] });
    for (const other of [
      failure({ kind: 'comment', sentAt: 1_000, endedAt: 1_149 }),
      failure({ kind: 'comment', sentAt: 1_161 }),
      failure({ kind: 'read' }),
      failure({ kind: 'ingest' }),
    ]) {
      expect(failuresOf(phase(other), kills)).toEqual({ failed: [other], excused: [] });
    }
  });

  it('H1: finds an alert that was accepted and is told to nobody, or not stored', () => {
    const facts = run({ sent: [alert('a')] });
    expect(broken(facts, ledger({ alerts: [listed('a', 1)] }))).toEqual([
      'every alert answered 2xx is delivered as firing',
    ]);
    const unlisted = run({ sent: [alert('a')], deliveries: [told('a')] });
    expect(broken(unlisted)).toEqual(['occurrences are the accepted posts']);
  });

  it('L1: takes a post for two where Nginx may have sent it again after a kill, and only there', () => {
    const facts = { sent: [alert('a')], deliveries: [told('a')] };
    const twice = ledger({ alerts: [listed('a', 2)] });
    expect(broken(run(facts), twice)).toEqual(['occurrences are the accepted posts']);
    const kills = [{ from: 1_150, until: 1_160 }];
    expect(broken(run({ ...facts, kills }), twice)).toEqual([]);
    expect(broken(run({ ...facts, kills }), ledger({ alerts: [listed('a', 3)] }))).toHaveLength(1);
    expect(broken(run({ ...facts, kills }), ledger())).toHaveLength(1);
  });

  it('H10: finds events that a client lacks, whoever was never let in, and who was told to begin anew', () => {
    const promise = 'no event is lost to a client that resumes';
    const events = ledger({ events: [1, 2, 3] });
    expect(broken(run({ live: [sight([1, 3])] }), events)).toEqual([promise]);
    expect(broken(run({ live: [sight([2, 3], { since: 1 })] }), events)).toEqual([]);
    expect(broken(run({ live: [sight([], { since: undefined })] }), events)).toEqual([promise]);
    expect(broken(run({ live: [sight([1, 2, 3], { resets: 1 })] }), events)).toEqual([promise]);
  });

  it('H10: finds events that come twice or after later ones', () => {
    const events = ledger({ events: [1, 2, 3] });
    expect(broken(run({ live: [sight([1, 2, 2, 3])] }), events)).toEqual(['no event comes twice']);
    expect(broken(run({ live: [sight([1, 3, 2])] }), events)).toEqual(['each client is told events in their order']);
  });

  it('H10: knows who has not caught up yet', () => {
    const late = sight([1, 2]);
    expect(behind([late, sight([3]), sight([], { since: 3 })], 3)).toEqual([late]);
  });
});
