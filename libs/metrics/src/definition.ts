import { register } from 'prom-client';

/** What a metric says of itself; a module-level constant of whoever counts. */
export interface MetricDefinition<L extends string = string> {
  /** As Prometheus names things: base unit at the end (`_seconds`, `_bytes`), counters in `_total`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels?: readonly L[];
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric that is registered, whatever its type. */
export interface Metric {
  readonly type: MetricType;
  readonly definition: MetricDefinition;
}

/** A value for every label. */
export type Labels<L extends string> = Readonly<Record<L, string | number>>;

/** Labels and a value, or the value alone where there are no labels. */
export type Sample<L extends string> = [L] extends [never]
  ? [value: number] | [labels: Labels<never> | undefined, value: number]
  : [labels: Labels<L>, value: number];

/** The same with a value that may be left out: 1. */
export type Step<L extends string> = [L] extends [never]
  ? [value?: number] | [labels: Labels<never> | undefined, value?: number]
  : [labels: Labels<L>, value?: number];

/** Suffixes that Prometheus and OpenMetrics give to the parts of counters and histograms. */
const reservedSuffix = /_(total|bucket|count|sum|created|info)$/;

/**
 * What to hand to prom-client for a definition.
 * @throws where the definition breaks Prometheus' rules, or another metric has its name; the error names it
 */
export function checked(type: MetricType, { name, help, labels = [] }: MetricDefinition) {
  const refuse = (why: string): never => {
    throw new Error(`metric ${name}: ${why}`);
  };
  if (!/^[a-z][a-z0-9_]*$/.test(name)) refuse('wanted a name in snake_case');
  if (type === 'counter' && !name.endsWith('_total')) refuse('the name of a counter ends in _total');
  // app_info and its like are gauges by custom: a label for each fact, and the value 1.
  if (type !== 'counter' && reservedSuffix.test(name) && !(type === 'gauge' && name.endsWith('_info'))) {
    refuse(`${reservedSuffix.exec(name)?.[0]} is a suffix that the format reserves`);
  }
  if (help.trim() === '' || help.includes('\n')) refuse('wanted a line of help');
  for (const label of labels) {
    if (!/^[a-z][a-z0-9_]*$/.test(label)) refuse(`wanted a label in snake_case, not "${label}"`);
    if (label === 'le' || label === 'quantile') refuse(`the label ${label} is reserved`);
  }
  if (new Set(labels).size < labels.length) refuse('a label is there twice');
  if (register.getSingleMetric(name)) refuse('there is a metric of this name already');
  return { name, help, labelNames: [...labels] };
}
