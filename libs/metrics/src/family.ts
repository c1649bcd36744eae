import { register } from 'prom-client';
import { Breather } from './breather.js';
import { collectionFailures } from './collection-failures.js';
import type { Aggregate } from './gauge.js';
import { TimeLimit } from './time-limit.js';

export interface Exemplar {
  labelSet: Record<string, string | number>;
  value: number;
  /** Seconds since 1970. */
  timestamp?: number;
}

/** A number as JSON can carry it: those that are not finite as text. */
export type Value = number | 'NaN' | 'Infinity' | '-Infinity';

/** What follows the family's name (`_bucket`, `_sum`, `_count` or nothing), the labels as they are written, the value. */
export type FamilySample = [suffix: string, labels: string, value: Value, exemplar?: Exemplar];

/** A metric with its values, in a form that is small in messages, quick to add up and quick to write. */
export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary';
  aggregate: Aggregate;
  samples: FamilySample[];
}

/** Counters, histograms and summaries: what a process has counted still counts once it is gone. */
export function isCumulative({ type }: Pick<Family, 'type'>): boolean {
  return type !== 'gauge';
}

type LabelSet = Readonly<Record<string, string | number>>;

/** What metrics of prom-client are: its declarations leave out half of it. */
interface Registered {
  name: string;
  type: Family['type'];
  get(): Promise<Reading>;
  /** Histograms: the same with the labels of a series apart from its `le`. */
  getForPromString?(): Promise<Reading>;
}

interface Reading extends Omit<Family, 'samples' | 'aggregate'> {
  aggregator: Aggregate;
  values: {
    value: number;
    labels?: LabelSet;
    sharedLabels?: LabelSet;
    metricName?: string;
    exemplar?: Exemplar | null;
  }[];
}

/** For metrics of other libraries; ours keep a shorter limit of their own. */
const readLimitMs = 2_000;

/**
 * Reads the metrics of this process, whoever registered them with prom-client. One that cannot be read is left out, and
 * counted.
 */
export async function readFamilies(wanted: (metric: Pick<Family, 'type'>) => boolean = () => true): Promise<Family[]> {
  const metrics = (register.getMetricsAsArray() as unknown as Registered[]).filter(wanted);
  const limit = new TimeLimit(readLimitMs);
  const readings = await Promise.all(
    metrics.map((metric) =>
      limit.apply(metric.getForPromString?.() ?? metric.get()).catch(() => {
        collectionFailures.inc({ metric: metric.name });
        return undefined;
      }),
    ),
  );
  limit.clear();
  const breather = new Breather();
  const families: Family[] = [];
  for (const reading of readings) {
    if (breather.isDue()) await breather.pause();
    if (reading) families.push(familyOf(reading));
  }
  return families;
}

function familyOf({ name, help, type, aggregator, values }: Reading): Family {
  const samples = values.map(({ value, labels, sharedLabels, metricName, exemplar }): FamilySample => {
    const suffix = metricName === undefined ? '' : metricName.slice(name.length);
    const own = labels === undefined ? '' : sharedLabels ? formatLabels(labels) : cachedLabels(labels);
    const shared = sharedLabels ? cachedLabels(sharedLabels) : '';
    const sample: FamilySample = [suffix, shared && own ? `${shared},${own}` : shared || own, toValue(value)];
    if (exemplar) sample.push({ ...exemplar });
    return sample;
  });
  return { name, help, type, aggregate: aggregator, samples };
}

function toValue(value: number): Value {
  return Number.isFinite(value) ? value : (String(value) as Value);
}

/** prom-client keeps one object for the labels of a series. */
const written = new WeakMap<LabelSet, string>();

function cachedLabels(labels: LabelSet): string {
  let text = written.get(labels);
  if (text === undefined) {
    text = formatLabels(labels);
    written.set(labels, text);
  }
  return text;
}

/** As between the braces of the text formats, in the order of their names: equal labels are equal text. */
export function formatLabels(labels: LabelSet): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort();
  return names.map((name) => `${name}="${escapeLabel(String(labels[name]))}"`).join(',');
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}
