import { type Family, type FamilySample, isCumulative, type Value } from './family.js';

/**
 * The families of several processes as if they were of one: counters and histograms are added up, gauges as each says.
 * prom-client aggregates too, but loses the exemplars.
 */
export function totalsOf(processes: readonly (readonly Family[])[]): Family[] {
  const byName = Map.groupBy(processes.flat(), ({ name }) => name);
  return [...byName.values()].flatMap((families) => {
    const [first] = families;
    if (!first || first.aggregate === 'omit') return [];
    return [{ ...first, samples: families.length === 1 ? first.samples : addUp(families, first) }];
  });
}

/** What of a process still counts once it has ended: gauges ended with it. */
export function remainsOf(families: readonly Family[]): Family[] {
  return families.filter(isCumulative);
}

function addUp(families: readonly Family[], { type, aggregate }: Family): FamilySample[] {
  const groups = new Map<string, { sample: FamilySample; values: number[] }>();
  for (const { samples } of families) {
    for (const sample of samples) {
      const [suffix, labels, value, exemplar] = sample;
      // Quantiles of a summary cannot be added up: nothing is better than a wrong number.
      if (type === 'summary' && suffix === '') continue;
      const key = `${suffix}{${labels}}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { sample: [...sample], values: [Number(value)] });
      else {
        group.values.push(Number(value));
        const known = group.sample[3];
        if (exemplar && (exemplar.timestamp ?? 0) >= (known?.timestamp ?? 0)) group.sample[3] = exemplar;
      }
    }
  }
  return [...groups.values()].map(({ sample, values }) => {
    const total = aggregates[aggregate](values);
    sample[2] = Number.isFinite(total) ? total : (String(total) as Value);
    return sample;
  });
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const aggregates = {
  sum,
  first: ([value = NaN]: number[]) => value,
  average: (values: number[]) => sum(values) / values.length,
  min: (values: number[]) => Math.min(...values),
  max: (values: number[]) => Math.max(...values),
  omit: () => NaN, // never asked for
};
