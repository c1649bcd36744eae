import { Counter as PromCounter } from 'prom-client';
import { isCollecting } from './collecting.js';
import { checked, type Labels, type Metric, type MetricDefinition, type Step } from './definition.js';

/** How often something has happened. Of the processes of a cluster the sum counts, of those that ended too. */
export interface Counter<L extends string = never> extends Metric {
  /** Adds 1, or the value, which is not negative. */
  readonly inc: (...step: Step<L>) => void;
}

/**
 * Registers a counter for the process.
 * @example const sent = counter({ name: 'mails_sent_total', help: 'Mails sent.', labels: ['outcome'] });
 *          sent.inc({ outcome: 'ok' });
 * @throws if the definition is not a good one, or its name is taken
 */
export function counter<const L extends string = never>(definition: MetricDefinition<L>): Counter<L> {
  const metric = new PromCounter<string>(checked('counter', definition));
  return {
    type: 'counter',
    definition,
    inc: ((labels?: Labels<L> | number, value?: number) => {
      if (!isCollecting()) return;
      if (typeof labels === 'object') metric.inc(labels, value);
      else metric.inc(labels ?? value);
    }) as Counter<L>['inc'],
  };
}
