import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { goQuote, goUnquote } from './go-string.js';
import { compareMatchers, Matcher, matchersToString, type MatchOperator } from './matcher.js';
import { parseMatchers } from './matcher-parser.js';
import { parseUtf8Matchers } from './utf8-matchers.js';

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/alertmanager/matchers.golden.json', import.meta.url), 'utf8'),
) as { input: string; printed: string | null }[];

const text = fc.string({ unit: 'grapheme' });
const awkward = fc.string({ unit: fc.constantFrom(...'ab.|*+?()[]{}^$\\"\',=~! \n\t\u00a0🙂é`') });
const equality = fc.constantFrom<MatchOperator>('=', '!=');

function printed(input: string): string | null {
  try {
    return matchersToString(parseMatchers(input).sort(compareMatchers));
  } catch {
    return null;
  }
}

describe('parseMatchers', () => {
  it.each(golden)('H4: reads $input as Alertmanager does: $printed', ({ input, printed: expected }) => {
    expect(printed(input)).toBe(expected);
  });

  it('H4: reads back what a matcher prints, in the UTF-8 syntax and with the classic fallback', () => {
    const name = fc.oneof(fc.stringMatching(/^[a-zA-Z_]\w{0,5}$/), awkward, text).filter((given) => given !== '');
    fc.assert(
      fc.property(name, equality, fc.oneof(text, awkward), (given, operator, value) => {
        const matcher = new Matcher(given, operator, value);
        const [read, ...more] = parseMatchers(matcher.toString());
        expect(more).toEqual([]);
        expect([read!.name, read!.operator, read!.value]).toEqual([given, operator, value]);
      }),
      { numRuns: 500 },
    );
  });

  it('H4: never does anything but read or refuse', () => {
    fc.assert(
      fc.property(awkward, (input) => {
        const outcome = printed(input);
        if (outcome !== null) expect(parseMatchers(input).length).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it.each([
    ['{foo=bar', '8: unexpected end of input: expected a comma or close brace'],
    ['foo=bar}', '7: } without {'],
    ['foo', '3: unexpected end of input: expected an operator'],
    ['foo=,', '4: unexpected ,: expected a label value'],
    ['"foo"="\\w"', '6: "\\w": invalid input'],
    ["foo='x'", "4: invalid input '"],
  ])('H4: the strict UTF-8 parser refuses %s with the column', (input, message) => {
    expect(() => parseUtf8Matchers(input)).toThrow(message);
  });

  it("H4: gives the classic parser's reason when neither can read it, and RE2's for a bad pattern", () => {
    expect(() => parseMatchers('foo')).toThrow('bad matcher format: foo');
    expect(() => parseMatchers('foo=~"("')).toThrow('error parsing regexp: missing closing ): `(`');
    expect(() => parseMatchers('foo=~"a(?=b)"')).toThrow('error parsing regexp');
  });
});

describe('Matcher', () => {
  it.each([
    ['=', 'x', { a: 'x' }, true],
    ['=', 'x', { a: 'y' }, false],
    ['=', '', {}, true],
    ['=', '', { a: 'x' }, false],
    ['!=', 'x', {}, true],
    ['!=', '', {}, false],
    ['=~', 'x|y', { a: 'y' }, true],
    ['=~', 'x|y', { a: 'xy' }, false],
    ['=~', 'x|', {}, true],
    ['=~', 'x.*', { a: 'xyz' }, true],
    ['=~', 'x.*', { a: 'wxyz' }, false],
    ['=~', '.*', {}, true],
    ['=~', '.+', {}, false],
    ['=~', '.+', { a: 'a\nb' }, false],
    ['=~', '(?s).+', { a: 'a\nb' }, true],
    ['=~', 'a$', { a: 'a\n' }, false],
    ['=~', '(?i)x', { a: 'X' }, true],
    ['=~', '^(?:x|y)$', { a: 'x' }, true],
    ['=~', '^(?:x)|(y)$', { a: 'xz' }, false],
    ['!~', 'x|y', { a: 'x' }, false],
    ['!~', 'x.*', {}, true],
  ] as const)('H4: a%s"%s" on %j is %s', (operator, value, labels, expected) => {
    const matcher = new Matcher('a', operator, value);
    // Twice, because the second answer may come from memory.
    expect([matcher.matches(labels), matcher.matches(labels)]).toEqual([expected, expected]);
  });

  it('H4: patterns are anchored alternatives: as if each were tried alone', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 3 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), word, (words, value) => {
        const pattern = words.map((each) => each.replaceAll('.', '\\.')).join('|');
        expect(new Matcher('a', '=~', pattern).matches({ a: value })).toBe(words.includes(value));
      }),
    );
  });

  it('H4: remembers a bounded number of answers, and stays right past it', () => {
    const matcher = new Matcher('a', '=~', 'v[0-9]*[02468]');
    for (let index = 0; index < 3000; index++) expect(matcher.matches({ a: `v${index}` })).toBe(index % 2 === 0);
  });

  it("H4: says its operator as Alertmanager's API does", () => {
    const operators = (['=', '!=', '=~', '!~'] as const).map((operator) => new Matcher('a', operator, 'b'));
    expect(operators.map(({ isEqual, isRegex }) => [isEqual, isRegex])).toEqual([
      [true, false],
      [false, false],
      [true, true],
      [false, true],
    ]);
  });

  it('H4: a pattern that makes backtracking engines hang is answered at once', () => {
    const started = process.cpuUsage();
    expect(new Matcher('a', '=~', '(a*)*b').matches({ a: 'a'.repeat(2000) })).toBe(false);
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });
});

describe("Go's string literals", () => {
  it('H4: what is quoted is unquoted to the same text', () => {
    fc.assert(
      fc.property(fc.oneof(text, awkward, fc.string({ unit: 'binary' })), (value) => {
        expect(goUnquote(goQuote(value))).toBe(value);
      }),
    );
  });

  it.each(['', '"', 'a', '"a', '"a"b"', '"\n"', '"\\x4"', '"\\U00110000"', '"\\u{41}"', '"\\8"', '"\\"'])(
    'H4: %j is refused',
    (literal) => {
      expect(goUnquote(literal)).toBeUndefined();
    },
  );
});
