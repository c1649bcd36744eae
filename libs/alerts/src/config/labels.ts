import { goQuote } from './go-string.js';

/** An alert's labels. A label that is absent and one that is empty mean the same, as everywhere in Prometheus. */
export type Labels = Readonly<Record<string, string>>;

/** A label set's identity: Prometheus' FNV-1a 64, as 16 hexadecimal digits and as PostgreSQL's signed `int8`. */
export interface Fingerprint {
  readonly hex: string;
  readonly value: bigint;
}

/** The value of a label, '' when it is absent. Names such as `constructor` are no labels of a plain object. */
export function labelValue(labels: Labels, name: string): string {
  const value: unknown = labels[name];
  return typeof value === 'string' ? value : '';
}

/** Orders as Go does, by the bytes of UTF-8. JavaScript's `<` puts astral characters before U+E000…U+FFFF. */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    if (isSurrogate(a) !== isSurrogate(b)) return isSurrogate(a) ? 1 : -1;
    return a - b;
  }
  return left.length - right.length;
}

const FNV_OFFSET_HIGH = 0xcbf29ce4 | 0;
const FNV_OFFSET_LOW = 0x84222325 | 0;
const SEPARATOR = 0xff;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const { imul } = Math;
const encoder = new TextEncoder();
const halves = new DataView(new ArrayBuffer(8));
/** Where a label set is written to be hashed; grows to the largest that was seen. */
let scratch = new Uint8Array(4096);

/**
 * The fingerprint as of `LabelSet.Fingerprint()` in prometheus/common: FNV-1a 64 over name, 0xff, value, 0xff in
 * byte order of the names. Lone surrogates count as U+FFFD, which is what Go makes of them when it decodes JSON.
 */
export function fingerprint(labels: Labels): Fingerprint {
  const value = fingerprintValue(labels);
  return { hex: hexOf(halves.getInt32(0)) + hexOf(halves.getInt32(4)), value };
}

/** The same as a number only. */
export function fingerprintValue(labels: Labels): bigint {
  const names = Object.keys(labels);
  sortNames(names);
  let length = 0;
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    length = write(name, length);
    scratch[length++] = SEPARATOR;
    length = write(labels[name]!, length);
    scratch[length++] = SEPARATOR;
  }
  return hash(scratch, length);
}

/**
 * FNV-1a: hash = (hash xor byte) × (2⁴⁰ + 0x1b3), modulo 2⁶⁴, in two halves of 32 bits: the low half's product in
 * limbs of 16 bits, its carry and the low half shifted by 40 − 32 go to the high half. The halves are local variables
 * because V8 keeps only those as plain integers, without an allocation for each byte.
 */
function hash(bytes: Uint8Array, length: number): bigint {
  let high = FNV_OFFSET_HIGH;
  let low = FNV_OFFSET_LOW;
  for (let index = 0; index < length; index++) {
    low ^= bytes[index]!;
    const limb0 = (low & 0xffff) * 0x1b3;
    const limb1 = (low >>> 16) * 0x1b3 + (limb0 >>> 16);
    high = (imul(high, 0x1b3) + (limb1 >>> 16) + (low << 8)) | 0;
    low = (limb1 << 16) | (limb0 & 0xffff);
  }
  halves.setInt32(0, high);
  halves.setInt32(4, low);
  return halves.getBigInt64(0);
}

/** Writes a text as UTF-8 and returns where it ends, with room for a separator left. ASCII does without a call. */
function write(text: string, at: number): number {
  const room = at + text.length * 3 + 1;
  if (room > scratch.length) {
    const larger = new Uint8Array(room * 2);
    larger.set(scratch);
    scratch = larger;
  }
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return at + index + encoder.encodeInto(text.slice(index), scratch.subarray(at + index)).written;
    scratch[at + index] = unit;
  }
  return at + text.length;
}

/** Prometheus' text form of a label set, sorted by name: `{alertname="Down", job="api"}`. */
export function labelsToString(labels: Labels): string {
  const names = Object.keys(labels).sort(compareBytes);
  return `{${names.map((name) => `${name}=${goQuote(labels[name]!)}`).join(', ')}}`;
}

/** The names that Prometheus allowed before it allowed any UTF-8. */
export const CLASSIC_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Insertion sort: label sets are small and mostly arrive sorted, and a comparator's calls cost more than the moves. */
function sortNames(names: string[]): void {
  if (names.length > 32) {
    names.sort(compareBytes);
    return;
  }
  for (let index = 1; index < names.length; index++) {
    const name = names[index]!;
    let at = index;
    for (; at > 0 && compareBytes(names[at - 1]!, name) > 0; at--) names[at] = names[at - 1]!;
    names[at] = name;
  }
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function hexOf(half: number): string {
  return HEX[half >>> 24]! + HEX[(half >>> 16) & 0xff]! + HEX[(half >>> 8) & 0xff]! + HEX[half & 0xff]!;
}
