/** What stands where a secret stood. */
export const redacted = '[redacted]';

const secretName =
  'passw|pwd|passphrase|secret|token|credential|authorization|cookie|api[-_]?key|access[-_]?key|private[-_]?key|signature';
const secretKey = new RegExp(secretName, 'i');

/** Cheap and generous: a text that this does not match holds nothing to redact. */
const suspicious = new RegExp(`${secretName}|bearer |basic |://[^/\\s"?#]{0,500}@|-----BEGIN`, 'i');

// A repetition after which the match could still fail is bounded; the others run to where they must end, so that the
// whole takes linear time and no tail of a long secret is left.
const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z ]{0,40}PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, redacted],
  [/(:\/\/)[^\s/?#"'<>]{1,500}@/g, `$1${redacted}@`],
  // A header's value runs to the end of its line.
  [/((?:authorization|cookie)2?\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)[^\r\n"'\\]+/gi, `$1${redacted}`],
  [/\b(bearer)\s{1,4}[\w.~+/=-]+/gi, `$1 ${redacted}`],
  [/\b([Bb]asic)\s{1,4}(?=[a-z+/]{0,64}[A-Z0-9])[\w+/=-]{6,}/g, `$1 ${redacted}`],
  [namedValue(), `$1${redacted}`],
];

/** `name=value`, `"name": "value"`, and the latter once more inside a JSON string. */
function namedValue(): RegExp {
  const name = `(?:${secretName})[\\w.-]{0,40}\\\\?["']?\\s{0,4}(?:=>|[:=])\\s{0,4}`;
  const quoted = /"(?:[^"\\]|\\[\s\S])*"?/.source;
  const quotedTwice = /\\"(?:[^"\\]|\\\\(?:\\["\\]|[^"\\]))*(?:\\")?/.source;
  const single = /'[^']*'?/.source;
  const bare = /(?:[^\s,;&"'}\]\\]|\\(?!"))+/.source;
  return new RegExp(`(${name})(?!\\[redacted\\])(?:${quotedTwice}|${quoted}|${single}|${bare})`, 'gi');
}

let known: RegExp | undefined;
const knownSecrets = new Set<string>();

/**
 * Makes these values, wherever they come up in a log line or a redacted text, disappear: secrets that are known
 * literally, such as keys from the settings. Values under six characters are passed over: they would shred innocent text.
 */
export function hideSecrets(values: Iterable<string>): void {
  for (const value of values) {
    if (value.length < 6) continue;
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) knownSecrets.add(form);
  }
  if (knownSecrets.size === 0) return;
  const longestFirst = [...knownSecrets].sort((a, b) => b.length - a.length);
  known = new RegExp(longestFirst.map((value) => RegExp.escape(value)).join('|'), 'g');
}

/** Whether the text may hold a secret. Errs on the side of yes. */
export function mayHoldSecret(text: string): boolean {
  if (known) {
    known.lastIndex = 0;
    if (known.test(text)) return true;
  }
  return suspicious.test(text);
}

/** Beyond it a suspicious text is cut: nobody reads more, and patterns need a stack that grows with the text. */
const longestText = 65_536;

function redactText(text: string): string {
  let result = known ? text.replace(known, redacted) : text;
  if (!suspicious.test(result)) return result;
  if (result.length > longestText) result = `${result.slice(0, longestText)}… (${text.length} characters)`;
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
  return result;
}

/**
 * A copy without secrets: values under telling keys (`password`, `token`, `cookie`, …) at any depth, and in every text
 * bearer and basic credentials, `key=value` pairs with such keys, private keys, and the user part of URLs.
 */
export function redact<T>(value: T): T {
  return copy(value, new WeakMap()) as T;
}

function copy(value: unknown, seen: WeakMap<object, unknown>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    seen.set(value, items);
    for (const item of value) items.push(copy(item, seen));
    return items;
  }
  const fields: Record<string, unknown> = {};
  seen.set(value, fields);
  for (const [key, field] of Object.entries(value)) {
    const hidden = secretKey.test(key) && field !== null && typeof field !== 'boolean';
    // Defined, not assigned: `__proto__` is a key like any other here.
    Object.defineProperty(fields, key, {
      value: hidden ? redacted : copy(field, seen),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return fields;
}

/** A whole line of JSON without secrets, at next to no cost where it holds none. */
export function redactLine(line: string): string {
  if (!mayHoldSecret(line)) return line;
  try {
    return `${JSON.stringify(redact(JSON.parse(line) as unknown))}\n`;
  } catch {
    return redactText(line);
  }
}

/** A URL as a client sent it, without the values of query parameters whose names, decoded, tell of a secret. */
export function redactUrl(url: string): string {
  const start = url.indexOf('?');
  if (start < 0 || !(url.includes('%', start) || secretKey.test(url))) return url;
  const pairs = url.slice(start + 1).split('&');
  const shown = pairs.map((pair) => {
    const name = pair.split('=', 1)[0] ?? '';
    return secretKey.test(decode(name)) ? `${name}=${redacted}` : pair;
  });
  return `${url.slice(0, start)}?${shown.join('&')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
