import {
  announcesSecret,
  isInnocent,
  isSecretKey,
  isSuspicious,
  mayNameSecret,
  patterns,
  redacted,
} from './secret-patterns.js';

let known: RegExp | undefined;
const knownSecrets = new Set<string>();

/**
 * Makes these values, wherever they come up in a log line or a redacted text, disappear: secrets that are known
 * literally, such as keys from the settings. Values under six characters are passed over: they would shred innocent text.
 */
export function hideSecrets(values: Iterable<string>): void {
  for (const value of values) {
    if (value.length < 6) continue;
    const escaped = JSON.stringify(value).slice(1, -1);
    for (const form of [
      value,
      encodeURIComponent(value.toWellFormed()),
      escaped,
      JSON.stringify(escaped).slice(1, -1),
    ]) {
      knownSecrets.add(form);
    }
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
  return isSuspicious(text);
}

/** Beyond it a suspicious text is cut: nobody reads more, and patterns need a stack that grows with the text. */
const longestText = 65_536;

/** No log line goes deeper, and no stack has to. */
const deepestNesting = 64;

function redactText(text: string, depth = 0): string {
  if (!mayHoldSecret(text)) return text;
  const inner = depth < deepestNesting ? parsed(text) : undefined;
  if (inner !== undefined) return JSON.stringify(copy(inner, new WeakMap(), depth + 1));
  let result = known ? text.replace(known, redacted) : text;
  if (result.length > longestText) result = `${result.slice(0, longestText)}… (${text.length} characters)`;
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
  return result;
}

/** The value of a text that is JSON as a whole, as the bodies of requests are. */
function parsed(text: string): object | undefined {
  if (!/^\s{0,10}[[{]/.test(text) || text.length > longestText) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/**
 * A copy without secrets: values under telling keys (`password`, `token`, `cookie`, …) at any depth, and in every text
 * bearer and basic credentials, `key=value` pairs with such keys, private keys, tokens of a known form, webhook addresses,
 * and the user part of URLs.
 */
export function redact<T>(value: T): T {
  return copy(value, new WeakMap(), 0) as T;
}

function copy(value: unknown, seen: WeakMap<object, unknown>, depth: number): unknown {
  if (typeof value === 'string') return redactText(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (depth >= deepestNesting) return redacted;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    seen.set(value, items);
    for (const [index, item] of value.entries()) {
      items.push(index > 0 && announcesSecret(value[index - 1]) ? redacted : copy(item, seen, depth + 1));
    }
    return items;
  }
  const fields: Record<string, unknown> = {};
  seen.set(value, fields);
  const entry = value as { name?: unknown; key?: unknown };
  const named = [entry.name, entry.key].some((name) => typeof name === 'string' && isSecretKey(name));
  for (const [key, field] of Object.entries(value)) {
    // { name: 'password', value: '…' } is as telling as { password: '…' }.
    const hidden = (isSecretKey(key) || (named && key === 'value')) && !isInnocent(key, field);
    // Defined, not assigned: `__proto__` is a key like any other here.
    Object.defineProperty(fields, redactText(key), {
      value: hidden ? redacted : copy(field, seen, depth + 1),
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
  if (start < 0 || !mayNameSecret(url)) return url;
  const pairs = url.slice(start + 1).split('&');
  const shown = pairs.map((pair) => {
    const name = pair.split('=', 1)[0] ?? '';
    return isSecretKey(decode(name)) ? `${name}=${redacted}` : pair;
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
