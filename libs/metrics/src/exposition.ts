import { Breather } from './breather.js';
import type { Exemplar, Family, Value } from './family.js';
import { formatLabels } from './family.js';

export type Format = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * The format that a scraper prefers, by its Accept header (RFC 9110, 12.5.1). OpenMetrics only for those that name it,
 * version 1; all others, and those that would take either, get what they asked for first or the older text format.
 */
export function negotiate(accept: string | undefined): Format {
  let [openmetrics, prometheus] = [0, 0];
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const parameter = (name: string) =>
      parameters
        .find((each) => each.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replaceAll('"', '');
    const quality = Number(parameter('q') ?? 1) || 0;
    const version = parameter('version') ?? '1.0.0';
    if (type === 'application/openmetrics-text' && /^1(\.|$)/.test(version))
      openmetrics = Math.max(openmetrics, quality);
    if (['text/plain', 'text/*', '*/*'].includes(type)) prometheus = Math.max(prometheus, quality);
  }
  return openmetrics > 0 && openmetrics >= prometheus ? 'openmetrics' : 'prometheus';
}

/** Writes families in one of the text formats, in slices. */
export async function render(families: readonly Family[], format: Format): Promise<string> {
  const breather = new Breather();
  let text = '';
  for (const family of families) {
    if (breather.isDue()) await breather.pause();
    text += format === 'openmetrics' ? inOpenMetrics(family) : inPrometheus(family);
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
function inPrometheus({ name, help, type, samples }: Family): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  for (const [suffix, labels, value] of samples) {
    text += labels === '' ? `${name}${suffix} ${write(value)}\n` : `${name}${suffix}{${labels}} ${write(value)}\n`;
  }
  return text;
}

/** https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md */
function inOpenMetrics({ name: full, help, type, samples }: Family): string {
  // There a family of counters goes without the suffix that each of its samples has.
  const name = type === 'counter' ? full.replace(/_total$/, '') : full;
  const sampled = type === 'counter' ? `${name}_total` : name;
  let text = `# HELP ${name} ${escapeHelp(help).replaceAll('"', '\\"')}\n# TYPE ${name} ${type}\n`;
  for (const [suffix, labels, value, exemplar] of samples) {
    // Bounds are written as floating-point numbers: 1.0, not 1.
    const given = suffix === '_bucket' ? labels.replace(/le="(-?\d+)"$/, 'le="$1.0"') : labels;
    text += given === '' ? `${sampled}${suffix} ${write(value)}` : `${sampled}${suffix}{${given}} ${write(value)}`;
    text += exemplar ? ` ${writeExemplar(exemplar)}\n` : '\n';
  }
  return text;
}

function writeExemplar({ labelSet, value, timestamp }: Exemplar): string {
  return `# {${formatLabels(labelSet)}} ${value}${timestamp === undefined ? '' : ` ${timestamp.toFixed(3)}`}`;
}

function write(value: Value): string {
  if (value === 'Infinity') return '+Inf';
  return value === '-Infinity' ? '-Inf' : String(value);
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
