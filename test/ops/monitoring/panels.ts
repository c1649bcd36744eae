import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface PanelQuery {
  dashboard: string;
  panel: string;
  /** As Prometheus takes it: Grafana's variables have their values. */
  expr: string;
}

const FOLDER = new URL('../../../monitoring/grafana/dashboards/', import.meta.url);
const VARIABLES: Readonly<Record<string, string>> = {
  __rate_interval: '1m',
  __interval: '15s',
  __range: '1h',
  job: '.+',
  instance: '.+',
};

/** The queries of the dashboards as they are shipped: panels, and what is drawn into all of them. */
export async function panelQueries(): Promise<PanelQuery[]> {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as {
        panels: { title: string; targets?: { expr: string }[] }[];
      };
      return panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr }) => ({ dashboard: basename(name, '.json'), panel: title, expr: substituted(expr) })),
      );
    });
}

function substituted(expr: string): string {
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (variable, name: string) => {
    const value = VARIABLES[name];
    if (value === undefined) throw new Error(`${variable} in ${expr} has no value`);
    return value;
  });
}
