/** At most so many characters (code points, so that none is cut in two), the last of which says that there was more. */
export function truncate(text: string, length: number): string {
  if (text.length <= length) return text;
  // A character is at most two units long, so that no more of a very long text need be looked at.
  const characters = Array.from(text.slice(0, 2 * length + 2));
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
