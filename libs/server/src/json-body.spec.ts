import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deepestNesting, parseJsonBody } from './json-body.js';
import { jsonFault } from './json-fault.js';
import { Problem } from './problem.js';
import { textFault } from './text-fault.js';

function refusal(body: string | Buffer): { slug: string; detail?: string; pointer?: string } {
  try {
    parseJsonBody(Buffer.from(body as string));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.getStatus()).toBe(400);
    const [first] = error.errors ?? [];
    return { slug: error.slug, detail: error.detail ?? first?.detail, pointer: first?.pointer };
  }
  throw new Error('accepted');
}

const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

describe('parseJsonBody', () => {
  it('B3: reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        fc.pre(!/"(__proto__|constructor)":/.test(JSON.stringify(value)));
        expect(parseJsonBody(Buffer.from(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(parseJsonBody(bytes(0xef, 0xbb, 0xbf, '{"a":1}'))).toEqual({ a: 1 });
  });

  it.each([
    [bytes('{"a":"', 0xff, '"}'), 6],
    [bytes('{"é":"', 0x80, '"}'), 7],
    [bytes('"', 0xe2, 0x82, '"'), 1],
    [bytes('"abc', 0xef, 0xbf), 4],
    [bytes('"', 0xef, '"'), 1],
    [bytes('"\uFFFD', 0xc0, 0xaf, '"'), 4],
    [bytes('"', 0xed, 0xa0, 0x80, '"'), 1],
  ])('B3: names the first byte that is not UTF-8 (%#)', (body, offset) => {
    const { slug, detail } = refusal(body);
    expect(slug).toBe('invalid-utf8');
    expect(detail).toBe(`The first bad byte is at offset ${offset}.`);
  });

  it.each([
    ['{"a":1,}', 'Unexpected "}" at line 1, column 8 (character 7).'],
    ['[1,]', 'Unexpected "]" at line 1, column 4 (character 3).'],
    ['{"a":\n  nul}', 'Unexpected "n" at line 2, column 3 (character 8).'],
    ['{"a" 1}', 'Unexpected "1" at line 1, column 6 (character 5).'],
    ['[1', 'Unexpected end of text at line 1, column 3 (character 2).'],
    ['[}', 'Unexpected "}" at line 1, column 2 (character 1).'],
    ['{]', 'Unexpected "]" at line 1, column 2 (character 1).'],
    ['[01]', 'Unexpected "1" at line 1, column 3 (character 2).'],
    ['{} x', 'Unexpected "x" at line 1, column 4 (character 3).'],
    ['"a\u0000b"', 'Unescaped control character in a string at line 1, column 3 (character 2).'],
    ['"a\\x"', 'Bad escape in a string at line 1, column 3 (character 2).'],
    ['"abc', 'Unterminated string at line 1, column 5 (character 4).'],
    ['\u00a0{}', 'Unexpected U+00A0 at line 1, column 1 (character 0).'],
    ['   ', 'Unexpected end of text at line 1, column 4 (character 3).'],
    ["{'a':1}", `Unexpected "'" at line 1, column 2 (character 1).`],
  ])('B3: names the place where %j stops being JSON', (text, detail) => {
    expect(refusal(text)).toMatchObject({ slug: 'malformed-json', detail });
  });

  it('B3: whatever JSON.parse refuses has a place within the text', () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0123456789eE+-.truefalsn \n\u0000'), maxLength: 40 });
    fc.assert(
      fc.property(soup, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const { position, reason } = jsonFault(text);
        // The scanner and V8 agree on what is JSON: it runs to the end of the text only if nothing is wrong before it.
        if (valid)
          expect([position, reason]).toEqual([
            text.trimEnd().length + (text.length - text.trimEnd().length),
            'Unexpected end of text',
          ]);
        else expect(position).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('B3: refuses nesting deeper than 64 levels, naming the place, even two megabytes of it', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseJsonBody(Buffer.from(nested(deepestNesting)))).toHaveLength(1);
    expect(refusal(nested(deepestNesting + 1))).toMatchObject({ slug: 'nested-too-deep', pointer: '/0'.repeat(64) });
    expect(refusal(nested(1_000_000)).slug).toBe('nested-too-deep');
    expect(refusal('{"a":'.repeat(400_000)).slug).toBe('malformed-json');
    expect(refusal(`"${'\\n'.repeat(1_000_000)}`).slug).toBe('malformed-json');
  });

  it('B3: refuses keys that reach for prototypes, naming the place', () => {
    expect(refusal('[{"a":{"__proto__":{"admin":true}}}]')).toEqual({
      slug: 'forbidden-key',
      detail: '"__proto__" is refused',
      pointer: '/0/a/__proto__',
    });
    expect(refusal('{"\\u005f_proto__":1}').slug).toBe('forbidden-key');
    expect(refusal('{"constructor":{"prototype":{}}}').slug).toBe('forbidden-key');
    expect(parseJsonBody(Buffer.from('{"constructor":"Bloggs & Sons"}'))).toEqual({ constructor: 'Bloggs & Sons' });
  });
});

describe('textFault', () => {
  it.each([
    ['fine 🎉', undefined],
    ['a\u0000b', 'holds the character U+0000 at position 1'],
    ['ab\ud83d', 'holds half of a surrogate pair at position 2'],
    ['\udc00a', 'holds half of a surrogate pair at position 0'],
  ])('B3: of %j says %s', (text, fault) => expect(textFault(text)).toBe(fault));
});
