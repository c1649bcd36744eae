/** A metric that an expression reads, with the labels by which it is selected. */
export interface MetricUse {
  name: string;
  labels: string[];
}

export interface ExpressionUses {
  metrics: MetricUse[];
  /** The labels of by, without, on, ignoring, group_left and group_right. */
  grouping: string[];
}

type Token = { kind: 'word' | 'string' | 'number' | 'mark'; text: string };

const TOKENS =
  /\s+|#[^\n]*|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?<number>\d[\w.]*(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_:][\w:]*)|(?<mark>[=!]~|[=!<>]=|[-+*/%^=<>(){}[\],@])/y;
const LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'atan2', 'bool', 'offset', 'start', 'end', 'inf', 'nan']);

/**
 * What a PromQL expression reads. It knows as much of the grammar as that takes; whether the expression is valid is
 * promtool's to say.
 * @throws on what it cannot read, and on a selector without a name, which would read metrics that nobody listed
 */
export function usesOf(expression: string): ExpressionUses {
  const tokens = tokensOf(expression);
  const uses: ExpressionUses = { metrics: [], grouping: [] };
  let at = 0;
  const next = (text: string) => tokens[at]?.text === text;
  const namesUntil = (close: string): string[] => {
    const names: string[] = [];
    for (at += 1; at < tokens.length && !next(close); at += 1) {
      const before = tokens[at - 1]!.text;
      if (tokens[at]!.kind === 'word' && (before === ',' || before === '{' || before === '('))
        names.push(tokens[at]!.text);
    }
    at += 1;
    return names;
  };
  while (at < tokens.length) {
    const { kind, text } = tokens[at]!;
    at += 1;
    if (text === '{') throw new Error(`a selector without a metric's name in ${expression}`);
    if (text === '[') while (at < tokens.length && !next(']')) at += 1;
    if (kind !== 'word' || WORDS.has(text.toLowerCase())) continue;
    if (LISTS.has(text)) {
      if (next('(')) uses.grouping.push(...namesUntil(')'));
    } else if (!next('(') && !followedByList(tokens, at)) {
      uses.metrics.push({ name: text, labels: next('{') ? namesUntil('}') : [] });
    }
  }
  return uses;
}

/** `sum by (a) (…)`: an aggregation whose list stands before its argument. */
function followedByList(tokens: readonly Token[], at: number): boolean {
  return LISTS.has(tokens[at]?.text ?? '') && ['by', 'without'].includes(tokens[at]!.text);
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < expression.length) {
    const position = TOKENS.lastIndex;
    const match = TOKENS.exec(expression);
    if (!match) throw new Error(`cannot read "${expression.slice(position, position + 20)}" in ${expression}`);
    for (const kind of ['string', 'number', 'word', 'mark'] as const) {
      const text = match.groups?.[kind];
      if (text !== undefined) tokens.push({ kind, text });
    }
  }
  return tokens;
}
