import { describe, expect, it } from '@jest/globals';
import { usesOf } from './promql.ts';

describe('the metrics of an expression', () => {
  it.each([
    ['up', ['up'], []],
    ['up{job="api", instance=~"a.*"} == 0 or absent(up{job!="api"})', ['up{job,instance}', 'up{job}'], []],
    ['sum by (job, le) (rate(a_bucket{le="0.5"}[5m] offset 1h)) > 1e3', ['a_bucket{le}'], ['job', 'le']],
    ['sum(rate(a[2m])) by (job) / on (job) group_left (x) b', ['a', 'b'], ['job', 'job', 'x']],
    ['histogram_quantile(0.95, sum without(instance) (c)) unless bool_d', ['c', 'bool_d'], ['instance']],
    [
      'max(hub:jobs:max{state="due"}) - min_over_time(hub:jobs:max[1h:1m] @ end())',
      ['hub:jobs:max{state}', 'hub:jobs:max'],
      [],
    ],
    ['a > bool 1 and b % 2 # c{d="e"}', ['a', 'b'], []],
    [`a{b='{c="d"}',e="\\"f"}`, ['a{b,e}'], []],
    ['1 + Inf * NaN', [], []],
    ['label_replace(a, "to", "$1", "from", "(.*)")', ['a'], []],
  ])('Q2: %s', (expression, metrics, grouping) => {
    const uses = usesOf(expression);
    expect(uses.metrics.map(({ name, labels }) => name + (labels.length > 0 ? `{${labels.join(',')}}` : ''))).toEqual(
      metrics,
    );
    expect(uses.grouping).toEqual(grouping);
  });

  it('Q2: a selector without a name, and what is no PromQL, is refused', () => {
    expect(() => usesOf('sum({job="api"})')).toThrow("without a metric's name");
    expect(() => usesOf('a ; b')).toThrow('cannot read ";');
  });
});
