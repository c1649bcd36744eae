/** Rows of cells as lines of equal columns, for a terminal. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** To the minute, in UTC; `-` for never. */
export function timeOf(at: Date | null): string {
  return at?.toISOString().slice(0, 16).replace('T', ' ') ?? '-';
}
