import { Gauge as PromGauge } from 'prom-client';
import { collectionFailures } from './collection-failures.js';
import { isCollecting } from './collecting.js';
import { checked, type Labels, type Metric, type MetricDefinition, type Sample, type Step } from './definition.js';
import { TimeLimit } from './time-limit.js';

/** What becomes of a gauge where several processes have one. */
export type Aggregate = 'sum' | 'first' | 'min' | 'max' | 'average' | 'omit';

export interface GaugeDefinition<L extends string = string> extends MetricDefinition<L> {
  /** Of the processes of a cluster: their sum unless told; `first` for what is the same in all of them. */
  readonly aggregate?: Aggregate;
}

/** What a source of values answers: a value, or one for each set of labels. */
export type Collected<L extends string> =
  number | readonly { readonly labels: Labels<L>; readonly value: number }[] | undefined;

/** How much there is of something now. */
export interface Gauge<L extends string = never> extends Metric {
  readonly set: (...sample: Sample<L>) => void;
  readonly inc: (...step: Step<L>) => void;
  readonly dec: (...step: Step<L>) => void;
  /**
   * Reads the gauge on each scrape instead of setting it; what the source no longer answers vanishes. Several sources
   * add up. One that fails, or takes longer than a second, is left out of that scrape, and counted in
   * `metrics_collection_failures_total`. The returned function removes the source.
   */
  readonly collectFrom: (source: () => Collected<L> | Promise<Collected<L>>) => () => void;
}

const sourceLimitMs = 1_000;

/**
 * Registers a gauge for the process.
 * @example gauge({ name: 'pool_connections_idle', help: 'Idle connections.' }).collectFrom(() => pool.idleCount);
 * @throws if the definition is not a good one, or its name is taken
 */
export function gauge<const L extends string = never>(definition: GaugeDefinition<L>): Gauge<L> {
  const { aggregate = 'sum' } = definition;
  const sources = new Set<Source<L>>();
  const options = { ...checked('gauge', definition), aggregator: aggregate };
  const metric: PromGauge = new PromGauge({ ...options, collect: () => collect(metric, sources, definition.name) });
  // prom-client begins at 0, which is right for a sum only: elsewhere it would pass for a measurement.
  if (aggregate !== 'sum') clear(metric);
  const step = (sign: 1 | -1) =>
    ((labels?: Labels<L> | number, value?: number) => {
      if (!isCollecting()) return;
      if (typeof labels === 'object') metric.inc(labels, sign * (value ?? 1));
      else metric.inc(sign * (labels ?? value ?? 1));
    }) as Gauge<L>['inc'];
  return {
    type: 'gauge',
    definition,
    set: ((labels: Labels<L> | number | undefined, value?: number) => {
      if (!isCollecting()) return;
      if (typeof labels === 'object') metric.set(labels, value ?? NaN);
      else metric.set(labels ?? value ?? NaN);
    }) as Gauge<L>['set'],
    inc: step(1),
    dec: step(-1),
    collectFrom(read) {
      const source = { read, running: false };
      sources.add(source);
      return () => {
        if (sources.delete(source) && sources.size === 0) clear(metric);
      };
    },
  };
}

interface Source<L extends string> {
  read: () => Collected<L> | Promise<Collected<L>>;
  /** Since an earlier scrape: one that hangs is not asked again meanwhile. */
  running: boolean;
}

/** Called on each scrape, by prom-client. */
async function collect<L extends string>(
  metric: PromGauge,
  sources: ReadonlySet<Source<L>>,
  name: string,
): Promise<void> {
  if (sources.size === 0) return;
  const answers = await Promise.all([...sources].map((source) => readWithinTime(source, name)));
  clear(metric);
  for (const answer of answers.flat()) {
    if (typeof answer === 'number') metric.inc(answer);
    else if (answer) metric.inc(answer.labels, answer.value);
  }
}

async function readWithinTime<L extends string>(source: Source<L>, name: string): Promise<Collected<L>> {
  const limit = new TimeLimit(sourceLimitMs);
  try {
    if (source.running) throw new Error('it still hangs');
    const pending = source.read();
    if (!(pending instanceof Promise)) return pending;
    source.running = true;
    return await limit.apply(pending.finally(() => (source.running = false)));
  } catch {
    collectionFailures.inc({ metric: name });
    return undefined;
  } finally {
    limit.clear();
  }
}

/** No values at all: `reset` alone would leave a 0 where there are no labels. */
function clear(metric: PromGauge): void {
  metric.reset();
  metric.remove({});
}
