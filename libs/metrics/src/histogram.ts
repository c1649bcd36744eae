import type { Span } from '@opentelemetry/api';
import {
  Histogram as PromHistogram,
  openMetricsContentType,
  register,
  type Registry,
  type RegistryContentType,
} from 'prom-client';
import { isCollecting } from './collecting.js';
import { checked, type Labels, type Metric, type MetricDefinition, type Sample } from './definition.js';
import { activeSpan, exemplarOf } from './exemplar.js';

export interface HistogramDefinition<L extends string = string> extends MetricDefinition<L> {
  /** The upper bounds, in ascending order; what exceeds them all is counted too. */
  readonly buckets: readonly number[];
}

/** How values, mostly durations in seconds, are distributed. */
export interface Histogram<L extends string = never> extends Metric {
  /** Counts a value. Within a sampled span its trace id becomes the exemplar of the value's bucket. */
  readonly observe: (...sample: Sample<L>) => void;
  /** The same for a span that is not active here any more. */
  readonly observeIn: (span: Span | undefined, labels: Labels<L>, value: number) => void;
}

/**
 * Registers a histogram for the process.
 * @example histogram({ name: 'job_duration_seconds', help: 'Jobs.', labels: ['task'], buckets: [0.1, 1, 10] })
 * @throws if the definition is not a good one, or its name is taken
 */
export function histogram<const L extends string = never>(definition: HistogramDefinition<L>): Histogram<L> {
  const { name, buckets } = definition;
  const options = checked('histogram', definition);
  const ascend = buckets.every((bound, index) => Number.isFinite(bound) && bound > (buckets[index - 1] ?? -Infinity));
  if (buckets.length === 0 || !ascend) throw new Error(`metric ${name}: wanted finite bounds in ascending order`);
  const metric = withExemplars(() => new PromHistogram({ ...options, buckets: [...buckets], enableExemplars: true }));
  const observeIn = (span: Span | undefined, labels: Labels<L> | undefined, value: number) => {
    if (isCollecting()) metric.observe({ labels, value, exemplarLabels: exemplarOf(span) });
  };
  return {
    type: 'histogram',
    definition,
    observeIn,
    observe: ((labels: Labels<L> | number | undefined, value?: number) => {
      if (typeof labels === 'object') observeIn(activeSpan(), labels, value ?? NaN);
      else observeIn(activeSpan(), undefined, labels ?? value ?? NaN);
    }) as Histogram<L>['observe'],
  };
}

/** prom-client keeps exemplars only for a registry that is set to OpenMetrics; ours stays as others expect it. */
function withExemplars<T>(create: () => T): T {
  const registry = register as Registry<RegistryContentType>;
  const { contentType } = registry;
  registry.setContentType(openMetricsContentType);
  try {
    return create();
  } finally {
    registry.setContentType(contentType);
  }
}
