import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Matcher } from '../config/index.js';
import { requiredLiteral } from './required-literal.js';

describe('H5: what a regular expression cannot do without', () => {
  it.each([
    ['', ''],
    ['abc', 'abc'],
    ['db-[0-9]+', 'db-'],
    ['.*shop-api.*', 'shop-api'],
    ['host-1\\.test:9\\d+', 'host-1.test:9'],
    ['a?bcd*e', 'bc'],
    ['ab+cde', 'cde'],
    ['a{2}bcdef', ''],
    ['ab{0}', 'a'],
    ['abc|d', ''],
    ['(?i)abc', ''],
    ['(abc)?', ''],
    ['a*', ''],
    ['a*?bc', 'bc'],
    ['\\', ''],
  ])('%j: %j', (pattern, literal) => {
    expect(requiredLiteral(pattern)).toBe(literal);
  });

  it('stands in whatever it matches', () => {
    const part = fc.constantFrom(
      'a',
      'b',
      'ab',
      '.',
      '*',
      '+',
      '?',
      '{0}',
      '{1,2}',
      '[ab]',
      '\\.',
      '\\d',
      '|',
      '(a)',
      '^',
      '$',
      '1',
    );
    const pattern = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1'), maxLength: 5 });
    let matched = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 20, maxLength: 20 }), (pattern, texts) => {
        let matcher: Matcher;
        try {
          matcher = new Matcher('x', '=~', pattern);
        } catch {
          return;
        }
        for (const x of texts.filter((x) => matcher.matches({ x }))) {
          expect([pattern, x, x.includes(requiredLiteral(pattern))]).toEqual([pattern, x, true]);
          matched++;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(matched).toBeGreaterThan(1_000);
  });
});
