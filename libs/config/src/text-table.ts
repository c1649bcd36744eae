/** A table with aligned columns: as plain text, or as Markdown in the form that prettier leaves alone. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  style: 'plain' | 'markdown',
): string {
  const widths = header.map((title, column) =>
    Math.max(3, ...[header, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const padded = (row: readonly string[]) => widths.map((width, column) => (row[column] ?? '').padEnd(width));
  const line =
    style === 'plain'
      ? (row: readonly string[]) => padded(row).join('  ').trimEnd()
      : (row: readonly string[]) => `| ${padded(row).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return `${[header, rule, ...rows].map(line).join('\n')}\n`;
}
