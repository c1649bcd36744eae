import { redact } from 'eyrie/logging';

/** As long as a secret must be at least to be looked for in foreign text; shorter ones would blot out ordinary words. */
const shortestSecret = 6;

/** What of a foreign text is kept. */
const excerptLength = 200;

/** Makes foreign text fit to be stored and shown: without secrets, on one line, short. */
export type Excerpt = (text: string) => string;

/**
 * @param secrets - what the sender sent and an answer may repeat (a 404 page likes to name the path that it was asked
 *   for); removed as they are and URL-encoded or decoded. What generally looks like a secret is removed as well.
 */
export function excerptWithout(secrets: readonly (string | undefined)[]): Excerpt {
  const hidden = [...new Set(secrets.flatMap(spellings))]
    .filter((secret) => secret.length >= shortestSecret)
    .sort((one, other) => other.length - one.length);
  return (text) => {
    const shown = hidden.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
    const line = redact(shown)
      .replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ')
      .trim();
    return line.length > excerptLength ? `${line.slice(0, excerptLength)}…` : line;
  };
}

/** The parts of a URL that are secret in a webhook: user, password, each part of the path, each value of the query. */
export function secretsOf(url: URL): string[] {
  return [
    url.pathname + url.search,
    url.pathname,
    url.username,
    url.password,
    ...url.pathname.split('/'),
    ...url.searchParams.values(),
  ];
}

function spellings(secret: string | undefined): string[] {
  if (!secret) return [];
  const spelled = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  try {
    spelled.push(decodeURIComponent(secret));
  } catch {
    // Not URL-encoded, so there is nothing to decode.
  }
  return spelled;
}
