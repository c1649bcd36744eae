import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EncryptionKeys } from './encryption-keys.js';
import { FileFaultsError, rotate } from './rotation.js';

const [one, two] = [EncryptionKeys.generate('one'), EncryptionKeys.generate('two')];
const before = EncryptionKeys.parse(one);
const both = EncryptionKeys.parse(`${two},${one}`);
const after = EncryptionKeys.parse(two);
const purpose = 'receivers';

/** Line ends, quotes, colons and what begins like an encrypted value: whatever a file may have around one. */
const between = fc
  .array(
    fc.constantFrom('\n', '\r\n', ' ', '#', "'", '"', ': ', ', ', 'url', 'ä', '🔑', 'enc:v1:<id>', 'https://a.test/'),
  )
  .map((parts) => ` ${parts.join('')} `);
const file = fc.array(fc.tuple(between, fc.string(), fc.boolean()));

describe('rotation', () => {
  it('I4: leaves every byte but those of the values, which only the new key opens then', () => {
    fc.assert(
      fc.property(file, (parts) => {
        const text = (shown: (value: string, isUrl: boolean) => string) =>
          parts
            .map(([around, value, isUrl]) => around + (isUrl ? 'https://encrypted.invalid/' : '') + shown(value, isUrl))
            .join('');
        const { text: rotated, rotated: count } = rotate(
          text((value) => before.encrypt(value, purpose)),
          both,
          purpose,
        );
        expect(count).toBe(parts.length);
        const opened = rotated.replaceAll(/enc:v1:two:[\w-]+/g, (found) => after.decrypt(found, purpose));
        expect(opened).toBe(text((value) => value));
        expect(rotate(rotated, both, purpose)).toEqual({ text: rotated, rotated: 0 });
        expect(rotate(rotated, after, purpose)).toEqual({ text: rotated, rotated: 0 });
      }),
      { numRuns: 200 },
    );
  });

  it('I4: tells each value that it cannot open with its place, and shows none', () => {
    const good = before.encrypt('hunter2', purpose);
    const altered = `${good.slice(0, -4)}AAAA`;
    const text = `a: ${good}\r\n\nb: [${after.encrypt('hunter3', purpose)}, '${altered}']\n# ${altered}`;
    const faults = () => {
      try {
        rotate(text, before, purpose);
      } catch (error) {
        if (error instanceof FileFaultsError) return error;
      }
      throw new Error('not refused');
    };
    expect(faults().faults.map(({ line, column }) => [line, column])).toEqual([
      [3, 5],
      [3, 5 + after.encrypt('hunter3', purpose).length + 3],
      [4, 3],
    ]);
    expect(faults().message).toContain(
      '3:5: the value is encrypted with the key "two", which ENCRYPTION_KEYS does not have',
    );
    expect(faults().message).toContain('4:3: the value cannot be decrypted');
    expect(faults().message).not.toMatch(/hunter|AAAA/);
  });
});
