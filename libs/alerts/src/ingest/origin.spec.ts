import { describe, expect, it } from '@jest/globals';
import { runInContext } from 'eyrie/logging';
import { latestOrigin, Origin } from './origin.js';

describe('the origin of an alert', () => {
  it('C4: is the request that raised it, and when', () => {
    const origin = runInContext({ requestId: 'request-1' }, () => new Origin(1_500));
    expect(JSON.parse(origin.column)).toEqual({ requestId: 'request-1', at: 1.5 });
    expect(JSON.parse(new Origin(2_000).column)).toEqual({ at: 2 });
  });
});

describe('the origin of a notification', () => {
  const [early, late] = [
    { requestId: 'early', at: 10 },
    { requestId: 'late', at: 20 },
  ];

  it('C4: is the last request among those of its alerts', () => {
    expect(latestOrigin([late, null, early], undefined)).toBe(late);
    expect(latestOrigin([null], undefined)).toBeUndefined();
  });

  it('C4: is none for a reminder: the receiver has been told since', () => {
    expect(latestOrigin([early, late], 15)).toBe(late);
    expect(latestOrigin([early, late], 20)).toBeUndefined();
  });
});
