/** The most redirects that are followed for one message. */
const maxHops = 3;

/** Answers that send the client elsewhere. */
const redirects = new Set([301, 302, 303, 307, 308]);

/** Redirects after which the same message is sent; after the others clients ask with GET, which would deliver nothing. */
const keepingTheMessage = new Set([307, 308]);

interface Answer {
  statusCode: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Where an answer sends the message, or why it does not go there; `undefined` if it is no redirect. Never to another
 * scheme: not from https to http, where others could read it, nor back.
 */
export function redirectOf(
  { statusCode, headers }: Answer,
  from: URL,
  hops: number,
  follow: boolean,
): { to: URL } | { refused: string } | undefined {
  if (!redirects.has(statusCode)) return undefined;
  if (!follow) return { refused: 'follow_redirects is off' };
  if (!keepingTheMessage.has(statusCode)) return { refused: 'only 307 and 308 keep the message' };
  if (hops >= maxHops) return { refused: `more than ${maxHops} in a row` };
  const to = URL.parse([headers.location].flat()[0] ?? '', from.href);
  if (!to || !headers.location) return { refused: 'it names no place' };
  return to.protocol === from.protocol ? { to } : { refused: 'it leads to another scheme' };
}
