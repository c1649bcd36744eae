/**
 * Go's string literals (`strconv.Quote` and `strconv.Unquote` for double quotes), because Alertmanager's matchers and
 * group keys are written and read with them.
 */
const PRINTABLE_ASCII = /^[ !#-[\]-~]*$/;
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);
const UNNAMED: ReadonlyMap<string, number> = new Map(
  [...NAMED].map(([char, escape]) => [escape[1]!, char.charCodeAt(0)]),
);
const NUMERIC = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/;

/** Go's Unicode white space (`unicode.IsSpace`), which is not JavaScript's `\s`. */
export const GO_SPACE = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/** As `strconv.Quote`. */
export function goQuote(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const char of text)
    quoted += NAMED.get(char) ?? (PRINTABLE.test(char) ? char : escapeCode(char.codePointAt(0)!));
  return quoted + '"';
}

/** As `strconv.Unquote` of a double-quoted literal, quotes included. Undefined when it is malformed or not UTF-8. */
export function goUnquote(literal: string): string | undefined {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const body = literal.slice(1, -1);
  if (PRINTABLE_ASCII.test(body)) return body;
  const bytes: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const char = String.fromCodePoint(body.codePointAt(at)!);
    at += char.length;
    if (char === '"' || char === '\n') return undefined;
    if (char !== '\\') {
      bytes.push(Buffer.from(char));
      continue;
    }
    const named = UNNAMED.get(body[at] ?? '');
    if (named !== undefined) {
      bytes.push(Buffer.of(named));
      at += 1;
      continue;
    }
    const escape = NUMERIC.exec(body.slice(at));
    const decoded = escape && decodeEscape(escape);
    if (!decoded) return undefined;
    bytes.push(decoded);
    at += escape[0].length;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    return undefined;
  }
}

function decodeEscape([, byte, short, long, octal]: RegExpExecArray): Buffer | undefined {
  if (byte !== undefined) return Buffer.of(parseInt(byte, 16));
  if (octal !== undefined) return parseInt(octal, 8) > 255 ? undefined : Buffer.of(parseInt(octal, 8));
  const code = parseInt((short ?? long)!, 16);
  return code > 0x10ffff || isSurrogate(code) ? undefined : Buffer.from(String.fromCodePoint(code));
}

function escapeCode(code: number): string {
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (isSurrogate(code)) return '\\ufffd';
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
