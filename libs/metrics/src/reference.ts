import { register } from 'prom-client';
import type { Metric } from './definition.js';
import { registerNodeMetrics } from './process-metrics.js';

interface Row {
  name: string;
  type: string;
  help: string;
  labels: readonly string[];
}

/**
 * `docs/metrics.md`: a table of metrics, by default of all that are registered by now, in the form that prettier leaves
 * alone. Import whatever defines metrics before.
 */
export function metricsReference(metrics?: readonly Metric[]): string {
  const rows = metrics ? metrics.map(rowOf) : registered();
  const cells = rows
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      unitOf(name),
      help.replaceAll('|', '\\|'),
    ]);
  return `${header}\n${table([['Metric', 'Type', 'Labels', 'Unit', 'Meaning'], ...cells])}`;
}

const header = `# Metrics

Generated from the code by \`npm run metrics -- --write\`: do not edit.

Every process serves them at \`/metrics\` and \`/monitoring/metrics\`, or on \`METRICS_PORT\`. With several processes in a
container the numbers are those of all of them together.
`;

function rowOf({ type, definition: { name, help, labels = [] } }: Metric): Row {
  return { name, type, help, labels };
}

/** What prom-client keeps, whoever defined it. */
function registered(): Row[] {
  registerNodeMetrics();
  const metrics = register.getMetricsAsArray() as unknown as (Omit<Row, 'labels'> & { labelNames: string[] })[];
  return metrics.map(({ name, type, help, labelNames }) => ({ name, type, help, labels: labelNames }));
}

const units = ['seconds', 'bytes', 'percent', 'ratio'];

function unitOf(name: string): string {
  const last =
    name
      .replace(/_total$/, '')
      .split('_')
      .at(-1) ?? '';
  return units.includes(last) ? last : '';
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}
