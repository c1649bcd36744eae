import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { compareBytes, fingerprint, type Labels, labelsToString, labelValue } from './labels.js';

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/alertmanager/fingerprints.golden.json', import.meta.url), 'utf8'),
) as { labels: Labels; fingerprint: string; groupKey: string }[];

const label = fc.string({ unit: 'grapheme' });
const labels = fc.dictionary(label, label, { maxKeys: 40 });

/** The definition, byte by byte. */
function reference(set: Labels): bigint {
  const names = Object.keys(set).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const bytes = names.flatMap((name) => [...Buffer.from(name), 0xff, ...Buffer.from(set[name]!), 0xff]);
  return bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);
}

describe('fingerprint', () => {
  it.each(golden)("H3: is Alertmanager's own: $fingerprint", ({ labels, fingerprint: hex }) => {
    expect(fingerprint(labels).hex).toBe(hex);
  });

  it('H3: is FNV-1a 64 over sorted names and values, whatever they hold', () => {
    fc.assert(
      fc.property(labels, (set) => {
        const { hex, value } = fingerprint(set);
        expect(hex).toBe(reference(set).toString(16).padStart(16, '0'));
        expect(BigInt.asUintN(64, value)).toBe(reference(set));
        expect(BigInt.asIntN(64, value)).toBe(value);
      }),
    );
  });

  it('H3: counts lone surrogates as U+FFFD, as Go does when it decodes JSON', () => {
    const unpaired = fc.string({ unit: fc.constantFrom('\ud83d', '\ude42', 'a', 'é', '\ue000') });
    fc.assert(
      fc.property(unpaired, (text) => {
        expect(fingerprint({ name: text })).toEqual(fingerprint({ name: text.toWellFormed() }));
      }),
    );
  });

  it('H3: takes values of any length', () => {
    const long = { first: 'x'.repeat(5000), second: 'é🙂'.repeat(50_000), third: 'z' };
    expect(BigInt(`0x${fingerprint(long).hex}`)).toBe(reference(long));
  });

  it('H3: does not depend on the order of the labels', () => {
    expect(fingerprint({ b: '2', a: '1' })).toEqual(fingerprint({ a: '1', b: '2' }));
    expect(fingerprint({})).toEqual({ hex: 'cbf29ce484222325', value: -0x340d631b7bdddcdbn });
  });
});

describe('label sets', () => {
  it.each(golden)("H4: are printed as in Alertmanager's group keys: $groupKey", ({ labels, groupKey }) => {
    expect(`{}:${labelsToString(labels)}`).toBe(groupKey);
  });

  it('H4: are sorted by the bytes of UTF-8', () => {
    fc.assert(
      fc.property(label, label, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("H4: an absent label is the empty string, even where JavaScript's objects have a member of that name", () => {
    expect(['a', 'b', 'constructor', '__proto__'].map((name) => labelValue({ a: '1' }, name))).toEqual([
      '1',
      '',
      '',
      '',
    ]);
  });
});
