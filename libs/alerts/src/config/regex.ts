import { RE2JS, RE2JSSyntaxException } from 're2js';

const LITERALS = /^[\w\-/ :@%,;#&<>"'=!~]*(?:\|[\w\-/ :@%,;#&<>"'=!~]*)*$/;
/** What `match_re` makes of its value. */
const ANCHORED = /^\^\(\?:([^]*)\)\$$/;
const CACHED_VALUES = 1000;
const CACHED_LENGTH = 256;

/**
 * A predicate for `^(?:pattern)$` in RE2's syntax, which is Alertmanager's and has no exponential cases.
 * Alternatives of plain words become a set; other patterns remember their last answers, because label values repeat.
 *
 * @throws Error with RE2's reason when the pattern is invalid.
 */
export function anchoredRegex(pattern: string): (text: string) => boolean {
  const inner = ANCHORED.exec(pattern)?.[1] ?? pattern;
  if (LITERALS.test(inner)) {
    const words = new Set(inner.split('|'));
    return (text) => words.has(text);
  }
  const regex = compile(pattern);
  const answers = new Map<string, boolean>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const answer = regex.test(text);
    if (text.length <= CACHED_LENGTH) {
      if (answers.size >= CACHED_VALUES) answers.clear();
      answers.set(text, answer);
    }
    return answer;
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(`^(?:${pattern})$`);
  } catch (error) {
    const reason = error instanceof RE2JSSyntaxException ? error.getDescription() : String(error);
    throw new Error(`error parsing regexp: ${reason}: \`${pattern}\``, { cause: error });
  }
}
