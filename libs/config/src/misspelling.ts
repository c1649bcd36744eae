import type { Sources } from './sources.js';

/**
 * A sentence for each name in the `.env` files that is nearly, but not quite, one of ours, and for an `ENVIRONMENT`
 * where it has no effect. The process environment is left out: it is full of other programs' variables.
 */
export function misspellings(sources: Sources, known: readonly string[]): string[] {
  const names = new Set(known.flatMap((name) => [name, `${name}_FILE`]));
  return sources.fileNames.flatMap(({ name, source }) => {
    if (name === 'ENVIRONMENT' && source !== 'file .env') return [`ENVIRONMENT has no effect in ${source}`];
    if (names.has(name)) return [];
    const meant = [...names].find((each) => distance(name.toUpperCase(), each) <= (each.length < 6 ? 1 : 2));
    return meant ? [`${name} in ${source} is not a setting: did you mean ${meant}?`] : [];
  });
}

/** How many letters to insert, delete or replace (Levenshtein). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
