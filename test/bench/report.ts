/** One line of the result. `passed` is undefined where there was nothing to compare with. */
export interface Row {
  name: string;
  unit: string;
  peer?: number;
  eyrie: number;
  ratio?: number;
  target: string;
  passed?: boolean;
  /** What went wrong besides the figure: refused requests, alerts that never arrived. */
  remark?: string;
}

const COLUMNS = ['case', 'unit', 'peer', 'Eyrie', 'ratio', 'target', ''] as const;

/** The rows as a Markdown table that reads well in a terminal too. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    row.peer === undefined ? '–' : figure(row.peer),
    figure(row.eyrie),
    row.ratio === undefined ? '–' : `${row.ratio.toFixed(2)}×`,
    row.target,
    [verdict(row.passed), row.remark].filter(Boolean).join(': '),
  ]);
  const widths = COLUMNS.map((column, index) => Math.max(3, column.length, ...cells.map((row) => row[index]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, index) => (index >= 2 && index <= 4 ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, index) => (index >= 2 && index <= 4 ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(COLUMNS), rule, ...cells.map(line)].join('\n');
}

const verdict = (passed: boolean | undefined): string =>
  passed === undefined ? 'not judged' : passed ? 'pass' : 'FAIL';

function figure(value: number): string {
  if (Number.isNaN(value)) return 'none';
  return value >= 1_000 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 100 ? 0 : value >= 1 ? 1 : 2);
}
