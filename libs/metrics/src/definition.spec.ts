import { afterEach, describe, expect, it } from '@jest/globals';
import { setCollecting } from './collecting.js';
import { counter, gauge, histogram, type Metric } from './index.js';
import { readFamilies } from './family.js';

afterEach(() => setCollecting(true));

/** The values of a metric as they would be served, by suffix and labels. */
async function valuesOf({ definition: { name } }: Metric): Promise<Record<string, number | string>> {
  const family = (await readFamilies()).find((each) => each.name === name);
  return Object.fromEntries(family?.samples.map(([suffix, labels, value]) => [suffix + labels, value]) ?? []);
}

describe('definitions', () => {
  it('D6: counters, gauges and histograms work as constants, with labels and without', async () => {
    const sent = counter({ name: 'sent_total', help: 'Sent.', labels: ['outcome', 'to'] });
    sent.inc({ to: 'a', outcome: 'ok' });
    sent.inc({ outcome: 'ok', to: 'a' }, 2);
    sent.inc({ outcome: 'say "no"\\\n', to: 'b' }, 0.5);
    expect(await valuesOf(sent)).toEqual({
      'outcome="ok",to="a"': 3,
      'outcome="say \\"no\\"\\\\\\n",to="b"': 0.5,
    });
    const plain = counter({ name: 'plain_total', help: 'Plain.' });
    expect(await valuesOf(plain)).toEqual({ '': 0 });
    plain.inc();
    plain.inc(2);
    plain.inc({}, 3);
    expect(await valuesOf(plain)).toEqual({ '': 6 });
    const level = gauge({ name: 'level', help: 'Level.' });
    level.set(5);
    level.inc();
    level.dec({}, 3);
    expect(await valuesOf(level)).toEqual({ '': 3 });
    const time = histogram({ name: 'time_seconds', help: 'Time.', labels: ['task'], buckets: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 7]) time.observe({ task: 'x' }, value);
    expect(await valuesOf(time)).toEqual({
      '_buckettask="x",le="0.1"': 2,
      '_buckettask="x",le="1"': 3,
      '_buckettask="x",le="+Inf"': 4,
      '_sumtask="x"': 7.65,
      '_counttask="x"': 4,
    });
  });

  it.each<[string, () => unknown, string]>([
    ['a second one of the same name', () => gauge({ name: 'twice', help: 'x' }), 'metric twice: there is'],
    ['a counter without _total', () => counter({ name: 'sent', help: 'x' }), 'metric sent: the name of a counter'],
    ['a gauge that looks like a counter', () => gauge({ name: 'x_total', help: 'x' }), 'metric x_total: _total is'],
    ['a bad name', () => gauge({ name: 'Bad-name', help: 'x' }), 'metric Bad-name: wanted a name'],
    ['no help', () => gauge({ name: 'helpless', help: ' ' }), 'metric helpless: wanted a line of help'],
    ['a bad label', () => gauge({ name: 'x1', help: 'x', labels: ['a-b'] }), 'metric x1: wanted a label'],
    ['a reserved label', () => gauge({ name: 'x2', help: 'x', labels: ['le'] }), 'metric x2: the label le'],
    ['a label twice', () => gauge({ name: 'x3', help: 'x', labels: ['a', 'a'] }), 'metric x3: a label is there twice'],
    ['no buckets', () => histogram({ name: 'x4', help: 'x', buckets: [] }), 'metric x4: wanted finite bounds'],
    ['buckets out of order', () => histogram({ name: 'x5', help: 'x', buckets: [2, 1] }), 'metric x5: wanted finite'],
  ])('D6: %s is refused, and named', (_, define, message) => {
    if (message.startsWith('metric twice')) gauge({ name: 'twice', help: 'x' });
    expect(define).toThrow(message);
  });

  it('D5: METRICS_ENABLED=false: nothing is counted', async () => {
    const [c, g] = [counter({ name: 'off_total', help: 'x' }), gauge({ name: 'off', help: 'x' })];
    const h = histogram({ name: 'off_seconds', help: 'x', buckets: [1], labels: ['a'] });
    setCollecting(false);
    c.inc();
    g.set(4);
    g.inc();
    h.observe({ a: 'b' }, 1);
    expect([await valuesOf(c), await valuesOf(g), await valuesOf(h)]).toEqual([{ '': 0 }, { '': 0 }, {}]);
  });

  it('D5: only a sum begins at 0: elsewhere that would pass for a measurement', async () => {
    expect(await valuesOf(gauge({ name: 'begins_at_zero', help: 'x' }))).toEqual({ '': 0 });
    const least = gauge({ name: 'begins_min', help: 'x', aggregate: 'min' });
    expect(await valuesOf(least)).toEqual({});
    least.set(0);
    expect(await valuesOf(least)).toEqual({ '': 0 });
  });
});

describe('collectFrom', () => {
  it('D2: is read on each scrape; what is no longer answered vanishes; several sources add up', async () => {
    const idle = gauge({ name: 'idle', help: 'x', labels: ['pool'] });
    let pools = ['a', 'b'];
    const stop = idle.collectFrom(() => pools.map((pool) => ({ labels: { pool }, value: 1 })));
    expect(await valuesOf(idle)).toEqual({ 'pool="a"': 1, 'pool="b"': 1 });
    pools = ['b'];
    expect(await valuesOf(idle)).toEqual({ 'pool="b"': 1 });
    const stopOther = idle.collectFrom(async () => [{ labels: { pool: 'b' }, value: 2 }]);
    expect(await valuesOf(idle)).toEqual({ 'pool="b"': 3 });
    stop();
    expect(await valuesOf(idle)).toEqual({ 'pool="b"': 2 });
    stopOther();
    expect(await valuesOf(idle)).toEqual({});
    const size = gauge({ name: 'size', help: 'x' });
    size.collectFrom(() => 7);
    expect(await valuesOf(size)).toEqual({ '': 7 });
    expect(await valuesOf(size)).toEqual({ '': 7 });
  });

  it('D2: a source that fails or hangs is left out and counted, and the scrape goes on', async () => {
    const size = gauge({ name: 'faulty', help: 'x' });
    size.collectFrom(() => {
      throw new Error('at once');
    });
    size.collectFrom(() => Promise.reject(new Error('later')));
    let asked = 0;
    size.collectFrom(() => {
      asked += 1;
      return new Promise<number>(() => undefined);
    });
    size.collectFrom(() => 5);
    const began = performance.now();
    expect(await valuesOf(size)).toEqual({ '': 5 });
    expect(performance.now() - began).toBeLessThan(1_500);
    const again = performance.now();
    expect(await valuesOf(size)).toEqual({ '': 5 });
    expect(performance.now() - again).toBeLessThan(500); // one that still hangs is not waited for again
    expect(asked).toBe(1);
    const failures = (await readFamilies()).find(({ name }) => name === 'metrics_collection_failures_total');
    expect(failures?.samples).toContainEqual(['', 'metric="faulty"', 9]);
  });
});
