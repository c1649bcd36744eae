import type { Inspection, SettingRow } from './inspect.js';
import { faultLine } from './load.js';
import type { Fault } from './setting.js';
import { textTable } from './text-table.js';

/** A setting as it takes effect, and the apps that read it. */
export interface ReportRow extends SettingRow {
  apps: string[];
}

/** The effective settings of several apps in one: each variable once. */
export interface Report {
  environment: string;
  settings: ReportRow[];
  faults: Fault[];
  warnings: string[];
}

/** Puts together what was found for each app. */
export function mergeInspections(byApp: Readonly<Record<string, Inspection>>): Report {
  const rows = new Map<string, ReportRow>();
  const faults = new Map<string, Fault>();
  const warnings = new Set<string>();
  for (const [app, inspection] of Object.entries(byApp)) {
    for (const row of inspection.rows) {
      const { apps } = rows.get(row.name) ?? { apps: [] };
      rows.set(row.name, { ...row, apps: [...apps, app] });
    }
    for (const fault of inspection.faults) faults.set(faultLine(fault), fault);
    for (const warning of inspection.warnings) warnings.add(warning);
  }
  const [first] = Object.values(byApp);
  return {
    environment: first?.environment ?? '',
    settings: [...rows.values()],
    faults: [...faults.values()],
    warnings: [...warnings],
  };
}

/** The report for a person. A value that differs from its default is told apart by its source. */
export function renderReport({ environment, settings, faults, warnings }: Report): string {
  const rows = settings.map((row) => [
    row.name,
    row.value || '-',
    row.source,
    row.default || '-',
    row.apps.join(','),
    row.fault ?? '',
  ]);
  const faulty = settings.some(({ fault }) => fault);
  const header = ['setting', 'value', 'source', 'default', 'apps', ...(faulty ? ['fault'] : [])];
  const notes = [...warnings, ...faults.map(faultLine)].map((line) => `${line}\n`).join('');
  return `environment: ${environment}\n\n${textTable(header, rows, 'plain')}${notes && `\n${notes}`}`;
}
