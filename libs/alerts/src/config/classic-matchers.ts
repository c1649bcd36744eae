import { GO_SPACE } from './go-string.js';
import { Matcher, type MatchOperator } from './matcher.js';

const TRAILING_SPACE = new RegExp(`^[${GO_SPACE}]+|[${GO_SPACE}]+$`, 'g');
const MATCHER = /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*([^]*?)[\t\n\f\r ]*$/;

/**
 * Alertmanager's syntax before UTF-8: tolerant, with optional and even unpaired braces, bare values that may hold
 * almost anything, and OpenMetrics' three escapes (`\n`, `\"`, `\\`); any other backslash stands for itself.
 *
 * @throws Error quoting what could not be read.
 */
export function parseClassicMatchers(text: string): Matcher[] {
  const inner = text.replace(/^\{/, '').replace(/\}$/, '');
  return splitAtCommas(inner).map(parseClassicMatcher);
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let escaped = false;
  for (const char of text) {
    if (char === ',') {
      if (!quoted) {
        parts.push(part);
        part = '';
        continue;
      }
    } else if (char === '"') {
      if (escaped) escaped = false;
      else quoted = !quoted;
    } else escaped = char === '\\' && !escaped;
    part += char;
  }
  const last = part.replace(TRAILING_SPACE, '');
  return last === '' ? parts : [...parts, last];
}

function parseClassicMatcher(text: string): Matcher {
  const found = MATCHER.exec(text);
  if (!found) throw new Error(`bad matcher format: ${text}`);
  const [, name, operator, raw] = found;
  return new Matcher(name!, operator as MatchOperator, unescape(raw!));
}

function unescape(raw: string): string {
  let closing = raw.startsWith('"');
  const body = closing ? raw.slice(1) : raw;
  let value = '';
  for (let at = 0; at < body.length; at++) {
    const char = body[at]!;
    const last = at === body.length - 1;
    if (char === '\\' && !last) {
      const escaped = body[++at]!;
      value += escaped === 'n' ? '\n' : escaped === '"' || escaped === '\\' ? escaped : `\\${escaped}`;
    } else if (char === '"') {
      if (!closing || !last) throw new Error(`matcher value contains unescaped double quote: ${raw}`);
      closing = false;
    } else value += char;
  }
  if (closing) throw new Error(`matcher value contains unescaped double quote: ${raw}`);
  return value;
}
