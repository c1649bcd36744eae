import { describe, expect, it } from '@jest/globals';
import type { Family, FamilySample } from './family.js';
import { remainsOf, totalsOf } from './totals.js';

const family = (rest: Partial<Family>, ...samples: FamilySample[]): Family => ({
  name: 'x',
  help: 'X.',
  type: 'gauge',
  aggregate: 'sum',
  samples,
  ...rest,
});

describe('totals', () => {
  it.each<[Family['aggregate'], number | undefined]>([
    ['sum', 12],
    ['first', 6],
    ['min', 2],
    ['max', 6],
    ['average', 4],
    ['omit', undefined],
  ])('D5: a gauge is aggregated as it says: %s', (aggregate, value) => {
    const processes = [6, 2, 4].map((each) => [family({ aggregate }, ['', 'a="1"', each])]);
    expect(totalsOf(processes)).toEqual(value === undefined ? [] : [family({ aggregate }, ['', 'a="1"', value])]);
  });

  it('D5: series are added up by their labels; each exemplar is the latest; what is not a number stays none', () => {
    const exemplar = (trace_id: string, timestamp: number) => ({ labelSet: { trace_id }, value: 1, timestamp });
    const histogram = { name: 'h', type: 'histogram' } as const;
    const one = [
      family(histogram, ['_bucket', 'le="1"', 2, exemplar('old', 5)], ['_sum', '', 3], ['_count', '', 2]),
      family({ name: 'g' }, ['', '', 'NaN']),
    ];
    const other = [
      family(histogram, ['_bucket', 'le="1"', 1, exemplar('new', 9)], ['_bucket', 'le="2"', 1], ['_sum', '', 0.5]),
      family({ name: 'g' }, ['', '', 4]),
      family({ name: 'only-here' }, ['', '', 'Infinity']),
    ];
    expect(totalsOf([one, JSON.parse(JSON.stringify(other)) as Family[]])).toEqual([
      family(
        histogram,
        ['_bucket', 'le="1"', 3, exemplar('new', 9)],
        ['_sum', '', 3.5],
        ['_count', '', 2],
        ['_bucket', 'le="2"', 1],
      ),
      family({ name: 'g' }, ['', '', 'NaN']),
      family({ name: 'only-here' }, ['', '', 'Infinity']),
    ]);
    expect(one[0]?.samples[0]).toEqual(['_bucket', 'le="1"', 2, exemplar('old', 5)]); // what was given stays
  });

  it('D5: quantiles, which cannot be added up, are left out; what a process counted remains, its gauges do not', () => {
    const summary = family({ type: 'summary' }, ['', 'quantile="0.5"', 3], ['_count', '', 1]);
    expect(totalsOf([[summary], [summary]])).toEqual([family({ type: 'summary' }, ['_count', '', 2])]);
    const counter = family({ type: 'counter' }, ['', '', 1]);
    expect(remainsOf([counter, family({}, ['', '', 1]), summary])).toEqual([counter, summary]);
  });
});
