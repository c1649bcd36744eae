const QUANTIFIERS = new Set(['?', '*', '{']);
/** As for quantifiers: those of something that is no literal, or that has been dealt with. */
const ENDS_RUN = new Set(['.', '^', '$', '+', '?', '*']);
const PUNCTUATION = /[^\p{L}\p{N}\s]/u;

/**
 * The longest text that stands in everything that the regular expression (RE2's syntax) matches, as far as that is plain to
 * see; '' where it is not. Looking for it costs a hundredth of the expression.
 *
 * @example requiredLiteral('db-[0-9]+[.]test') // 'db-'
 */
export function requiredLiteral(pattern: string): string {
  // Alternatives and groups, which may hold flags such as (?i) or be optional, are left to the expression.
  if (/[|(]/.test(pattern)) return '';
  let [longest, run] = ['', ''];
  const end = () => {
    if (run.length > longest.length) longest = run;
    run = '';
  };
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (ENDS_RUN.has(character)) {
      end();
      continue;
    }
    if (character === '[' || character === '{') break;
    if (character === '\\') {
      character = characters[++at] ?? '';
      if (!PUNCTUATION.test(character)) break;
    }
    const next = characters[at + 1];
    if (next !== undefined && QUANTIFIERS.has(next)) {
      end();
      // What is repeated may be absent; what comes after a number of repetitions is not looked at.
      if (next === '{') break;
      at++;
    } else run += character;
  }
  end();
  return longest;
}
