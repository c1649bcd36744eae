import { describe, expect, it } from '@jest/globals';
import { CollectorLog } from './collector-log.js';

describe('CollectorLog', () => {
  it('E5: says at most one line a minute, and how many were left out', () => {
    let now = 0;
    const lines: unknown[][] = [];
    const log = new CollectorLog(
      (...line) => lines.push(line),
      'http://collector:4317',
      () => now,
    );
    for (; now < 120_000; now += 1_000) log.tell(new Error('refused'));
    expect(lines).toEqual([
      ['Spans are lost: refused', { collector: 'http://collector:4317' }],
      ['Spans are lost: refused', { collector: 'http://collector:4317', failures_not_logged: 59 }],
    ]);
  });

  it.each([
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new AggregateError([]), 'AggregateError'],
    ['Dropped 7 spans', 'Dropped 7 spans'],
  ])('E5: finds a reason in %p', (complaint, reason) => {
    const lines: string[] = [];
    new CollectorLog((line) => lines.push(line), '').tell(complaint);
    expect(lines).toEqual([`Spans are lost: ${reason}`]);
  });
});
