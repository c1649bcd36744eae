/**
 * What may be asked of Prometheus: the metrics of the code (docs/metrics.md), those that the exporters have been seen to
 * serve (monitoring/exporters/metrics.txt, written by the drill), and Prometheus' own.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ExpressionUses, usesOf } from './promql.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const EXPORTERS_LIST = `${ROOT}monitoring/exporters/metrics.txt`;

/** The labels of each metric; undefined where they are not known, as of a recorded series. */
export type KnownMetrics = ReadonlyMap<string, ReadonlySet<string> | undefined>;

/** What scraping adds to every series. */
const TARGET_LABELS = ['job', 'instance', 'slot', 'environment'];
/** What Prometheus makes itself of every target. */
const OF_TARGETS = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped', 'scrape_samples_post_metric_relabeling'];

export function knownMetrics(recordings: readonly { record: string }[]): KnownMetrics {
  const known = new Map<string, Set<string> | undefined>();
  const add = (name: string, labels: readonly string[]) =>
    known.set(name, new Set([...(known.get(name) ?? TARGET_LABELS), ...labels]));
  for (const { name, type, labels } of documented(readFileSync(`${ROOT}docs/metrics.md`, 'utf8'))) {
    if (type !== 'histogram') add(name, labels);
    else
      for (const part of ['bucket', 'sum', 'count'])
        add(`${name}_${part}`, part === 'bucket' ? [...labels, 'le'] : labels);
  }
  for (const { name, labels } of listed(readFileSync(EXPORTERS_LIST, 'utf8'))) add(name, labels);
  for (const name of OF_TARGETS) add(name, []);
  for (const name of ['ALERTS', 'ALERTS_FOR_STATE']) known.set(name, undefined);
  for (const { record } of recordings) known.set(record, undefined);
  return known;
}

/** The faults of an expression: names and labels that nothing serves. */
export function strangersIn(expr: string, known: KnownMetrics): string[] {
  let uses: ExpressionUses;
  try {
    uses = usesOf(expr);
  } catch (error) {
    return [(error as Error).message];
  }
  const labelsOf = uses.metrics.map(({ name }) => known.get(name));
  const all = labelsOf.includes(undefined) ? undefined : new Set(labelsOf.flatMap((labels) => [...labels!]));
  return [
    ...uses.metrics.filter(({ name }) => !known.has(name)).map(({ name }) => `nothing serves ${name}`),
    ...uses.metrics.flatMap(({ name, labels }) =>
      labels.filter((label) => known.get(name)?.has(label) === false).map((label) => `${name} has no label ${label}`),
    ),
    ...(all
      ? uses.grouping.filter((label) => !all.has(label)).map((label) => `no metric of it has the label ${label}`)
      : []),
  ];
}

/** The rows of the table in docs/metrics.md. */
function documented(text: string): { name: string; type: string; labels: string[] }[] {
  return [...text.matchAll(/^\| `(\w+)` *\| (\w+) *\| ([^|]*)\|/gm)].map(([, name, type, labels]) => ({
    name: name!,
    type: type!,
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
  }));
}

/** Lines such as `redis redis_db_keys{db}`. */
function listed(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/^\w+ ([\w:]+)\{([\w,]*)\}$/gm)].map(([, name, labels]) => ({
    name: name!,
    labels: labels!.split(',').filter((label) => label.length > 0),
  }));
}
