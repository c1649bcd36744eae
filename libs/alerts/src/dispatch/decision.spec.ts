import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideNotification, type LogEntry } from './decision.js';

const HOUR = 3_600_000;
const alert = (fingerprint: string) => ({ fingerprint });

const entryOf = (firing: string[], resolved: string[], notifiedAt = 0): LogEntry => ({
  firing: new Set(firing),
  resolved: new Set(resolved),
  notifiedAt,
});

function decide(
  entry: LogEntry | undefined,
  firing: string[],
  resolved: string[],
  { sendResolved = true, now = HOUR / 2 } = {},
) {
  const alerts = { firing: firing.map(alert), resolved: resolved.map(alert) };
  const decision = decideNotification(entry, alerts, { sendResolved }, HOUR, now);
  return decision && { reason: decision.reason, send: decision.send?.map(({ fingerprint }) => fingerprint) };
}

describe('H4: whether an integration has to be told', () => {
  it('tells of a group for the first time, with what has ended meanwhile', () => {
    expect(decide(undefined, ['1'], ['2'])).toEqual({ reason: 'first notification', send: ['1', '2'] });
  });

  it('never begins with a resolution', () => {
    expect(decide(undefined, [], ['1'])).toBeUndefined();
    expect(decide(entryOf([], ['1']), [], ['1', '2'])).toBeUndefined();
  });

  it('tells of an alert that it had not told of, also of one that had ended', () => {
    expect(decide(entryOf(['1'], []), ['1', '2'], [])).toEqual({ reason: 'new alerts added', send: ['1', '2'] });
    expect(decide(entryOf(['1'], ['2']), ['1', '2'], [])?.reason).toBe('new alerts added');
  });

  it('tells that some have ended, and that all have', () => {
    expect(decide(entryOf(['1', '2'], []), ['1'], ['2'])?.reason).toBe('some alerts resolved');
    expect(decide(entryOf(['1', '2'], []), [], ['1', '2'])).toEqual({
      reason: 'all alerts resolved',
      send: ['1', '2'],
    });
  });

  it('repeats what it said only after more than the repeat interval', () => {
    expect(decide(entryOf(['1'], []), ['1'], [], { now: HOUR })).toBeUndefined();
    expect(decide(entryOf(['1'], []), ['1'], [], { now: HOUR + 1 })?.reason).toBe('repeat interval elapsed');
  });

  it('without send_resolved: ends are left out, and the last one only changes the log', () => {
    const quiet = { sendResolved: false };
    expect(decide(undefined, ['1'], ['2'], quiet)?.send).toEqual(['1']);
    expect(decide(entryOf(['1', '2'], []), ['1'], ['2'], quiet)).toBeUndefined();
    expect(decide(entryOf(['1'], []), [], ['1'], quiet)).toEqual({ reason: 'all alerts resolved', send: undefined });
  });
});

/** `DedupStage.needsUpdate` of Alertmanager's notify/notify.go, line by line. */
function needsUpdate(
  entry: LogEntry | undefined,
  firing: string[],
  resolved: string[],
  sendResolved: boolean,
  repeat: number,
  now: number,
): boolean {
  const isSubset = (subset: string[], of: ReadonlySet<string>) => subset.every((hash) => of.has(hash));
  if (!entry) return firing.length > 0;
  if (!isSubset(firing, entry.firing)) return true;
  if (firing.length === 0) return entry.firing.size > 0;
  if (sendResolved && !isSubset(resolved, entry.resolved)) return true;
  return entry.notifiedAt < now - repeat;
}

describe('H4: the decision and its model', () => {
  const hashes = fc.uniqueArray(fc.constantFrom('1', '2', '3', '-4'), { maxLength: 4 });
  const given = fc.record({
    entry: fc.option(fc.record({ firing: hashes, resolved: hashes, at: fc.integer({ min: 0, max: 2 * HOUR }) }), {
      nil: undefined,
    }),
    firing: hashes,
    resolved: hashes,
    sendResolved: fc.boolean(),
    now: fc.integer({ min: 0, max: 3 * HOUR }),
  });

  it("agrees with Alertmanager's needsUpdate, and sends what its retry stage would", () => {
    fc.assert(
      fc.property(given, ({ entry, firing, resolved, sendResolved, now }) => {
        const log = entry && entryOf(entry.firing, entry.resolved, entry.at);
        const decision = decide(log, firing, resolved, { sendResolved, now });
        expect(decision !== undefined).toBe(needsUpdate(log, firing, resolved, sendResolved, HOUR, now));
        if (!decision) return;
        const sent = sendResolved ? [...firing, ...resolved] : firing;
        expect(decision.send ?? []).toEqual(sent);
        if (!sendResolved && firing.length === 0) expect(decision.send).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });
});
