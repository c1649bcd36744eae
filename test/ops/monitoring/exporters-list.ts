/** The list of what exporters serve, by which rules and dashboards are checked where no exporter runs. */
import { readFile, writeFile } from 'node:fs/promises';
import type { CheckResult } from '../checks.ts';
import { EXPORTERS_LIST } from './known-metrics.ts';
import type { PrometheusApi } from './prometheus-api.ts';
import { usesOf } from './promql.ts';

const JOBS = ['postgres', 'redis', 'nginx', 'node', 'prometheus', 'alertmanager'];
/** Of the language they are written in, and of scraping itself. */
const NOT_THEIRS = /^(go|process|promhttp|net_conntrack|scrape)_|^up$/;

async function served(prometheus: PrometheusApi): Promise<Map<string, Set<string>>> {
  const metrics = new Map<string, Set<string>>();
  for (const job of JOBS) {
    for (const { __name__: name = '', ...labels } of await prometheus.seriesOf(`{job="${job}"}`)) {
      if (NOT_THEIRS.test(name)) continue;
      const known = metrics.get(`${job} ${name}`) ?? new Set();
      for (const label of Object.keys(labels)) if (label !== 'job' && label !== 'instance') known.add(label);
      metrics.set(`${job} ${name}`, known);
    }
  }
  return metrics;
}

/** Whether the exporters serve all of the list that expressions ask of them. With WRITE_METRICS=1 it writes the list anew. */
export async function exportersList(prometheus: PrometheusApi, expressions: readonly string[]): Promise<CheckResult> {
  const present = await served(prometheus);
  const lines = [...present].map(([metric, labels]) => `${metric}{${[...labels].sort().join(',')}}`).sort();
  const head =
    '# What the exporters serve: job, metric, labels. Written by `WRITE_METRICS=1 npm run test:ops -- monitoring`.\n';
  if (process.env.WRITE_METRICS === '1') await writeFile(EXPORTERS_LIST, `${head}${lines.join('\n')}\n`);
  const listed = (await readFile(EXPORTERS_LIST, 'utf8')).split('\n').map((line) => line.split('{')[0]!);
  const used = new Set(expressions.flatMap((expr) => usesOf(expr).metrics.map(({ name }) => name)));
  const asked = listed.filter((metric) => used.has(metric.split(' ')[1] ?? ''));
  return {
    name: `the exporters serve what rules and dashboards ask of them (${asked.length} metrics)`,
    faults:
      asked.length === 0
        ? ['nothing is asked']
        : asked.filter((metric) => !present.has(metric)).map((metric) => `nothing serves ${metric} any more`),
  };
}
