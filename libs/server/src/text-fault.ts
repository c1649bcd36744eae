const nul = '\u0000';

/**
 * What keeps a text from being stored: PostgreSQL takes no NUL, and half of a surrogate pair has no UTF-8. `undefined`
 * if nothing does.
 *
 * @example z.string().check(({ value, issues }) => …textFault(value)…)
 */
export function textFault(text: string): string | undefined {
  const position = text.indexOf(nul);
  if (position >= 0) return `holds the character U+0000 at position ${position}`;
  if (text.isWellFormed()) return undefined;
  const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text);
  return `holds half of a surrogate pair at position ${lone?.index ?? 0}`;
}
