import { parseClassicMatchers } from './classic-matchers.js';
import { matchersToString, type Matcher } from './matcher.js';
import { parseUtf8Matchers } from './utf8-matchers.js';

/**
 * Reads matchers as Alertmanager does by default: with the UTF-8 parser, and with the classic one when that fails or
 * when both succeed and disagree (a value such as `"a\tb"`, whose backslash the classic syntax keeps).
 *
 * @example parseMatchers('{team="x",severity=~"warning|critical"}')
 * @throws Error with the classic parser's reason when neither can read it.
 */
export function parseMatchers(text: string): Matcher[] {
  const utf8 = attempt(parseUtf8Matchers, text);
  const classic = attempt(parseClassicMatchers, text);
  if (utf8 instanceof Error) {
    if (classic instanceof Error) throw classic;
    return classic;
  }
  if (classic instanceof Error) return utf8;
  return matchersToString(utf8) === matchersToString(classic) ? utf8 : classic;
}

function attempt(parse: (text: string) => Matcher[], text: string): Matcher[] | Error {
  try {
    return parse(text);
  } catch (error) {
    return error as Error;
  }
}
