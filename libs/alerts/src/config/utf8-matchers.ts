import { GO_SPACE, goUnquote } from './go-string.js';
import { Matcher, type MatchOperator } from './matcher.js';

const SPACES = new RegExp(`[${GO_SPACE}]*`, 'y');
const TOKEN = new RegExp(
  [
    '(?<mark>[{},])',
    '(?<operator>=~|=|!=|!~)',
    '(?<quoted>"(?:[^"\\\\]|\\\\[^])*")',
    `(?<bare>[^${GO_SPACE}{}!=~,\\\\"'\`]+)`,
  ].join('|'),
  'uy',
);

type Kind = 'mark' | 'operator' | 'quoted' | 'bare' | 'end';
interface Token {
  kind: Kind;
  text: string;
  at: number;
}

/**
 * Alertmanager's UTF-8 syntax: `{` and `}` optional but paired, names and values bare or in double quotes with Go's
 * escapes, a trailing comma allowed.
 *
 * @throws Error naming the column (from 0) and what was expected.
 */
export function parseUtf8Matchers(text: string): Matcher[] {
  const tokens = tokenize(text);
  const matchers: Matcher[] = [];
  let next = 0;
  const peek = () => tokens[next]!;
  const takeMark = (mark: string): boolean => {
    if (peek().kind !== 'mark' || peek().text !== mark) return false;
    next += 1;
    return true;
  };
  const take = (what: string, ...kinds: Kind[]): Token => {
    if (!kinds.includes(peek().kind)) throw unexpected(peek(), what);
    return tokens[next++]!;
  };

  const braced = takeMark('{');
  while (peek().kind !== 'end' && !(peek().kind === 'mark' && peek().text === '}')) {
    const name = unquote(take('a label name', 'quoted', 'bare'));
    const operator = take("an operator such as '=', '!=', '=~' or '!~'", 'operator').text as MatchOperator;
    const value = unquote(take('a label value', 'quoted', 'bare'));
    matchers.push(new Matcher(name, operator, value));
    if (!takeMark(',')) break;
  }
  if (takeMark('}') !== braced) {
    throw braced ? unexpected(peek(), 'a comma or close brace') : new Error(`${tokens[next - 1]!.at}: } without {`);
  }
  take('a comma or the end', 'end');
  return matchers;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ;) {
    SPACES.lastIndex = at;
    SPACES.exec(text);
    at = SPACES.lastIndex;
    if (at >= text.length) return [...tokens, { kind: 'end', text: 'end of input', at }];
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) throw new Error(`${at}: invalid input ${text[at]}`);
    const [kind, value] = Object.entries(found.groups!).find(([, group]) => group !== undefined)!;
    tokens.push({ kind: kind as Kind, text: value, at });
    at = TOKEN.lastIndex;
  }
}

function unquote(token: Token): string {
  const text = token.kind === 'quoted' ? goUnquote(token.text) : token.text;
  if (text === undefined) throw new Error(`${token.at}: ${token.text}: invalid input`);
  return text;
}

function unexpected(token: Token, wanted: string): Error {
  return new Error(`${token.at}: unexpected ${token.text}: expected ${wanted}`);
}
