import { isUtf8 } from 'node:buffer';
import { jsonFault } from './json-fault.js';
import { Problem } from './problem.js';

/** No client nests deeper, and whoever walks a body may recurse. */
export const deepestNesting = 64;

/**
 * The value of a JSON body. Refuses, naming the place, what is not UTF-8, not JSON, nested too deep, or has keys that
 * reach for prototypes. Throws a {@link Problem} with status 400.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) throw invalid('empty-body', 'The body is empty', 'JSON was expected.');
  if (!isUtf8(body)) {
    throw invalid('invalid-utf8', 'The body is not UTF-8', `The first bad byte is at offset ${invalidUtf8At(body)}.`);
  }
  let text = body.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1); // RFC 8259, 8.1: a byte order mark may be ignored
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { position, line, column, reason } = jsonFault(text);
    const place = `line ${line}, column ${column} (character ${position})`;
    throw invalid('malformed-json', 'The body is not JSON', `${reason} at ${place}.`);
  }
  if (typeof value === 'object' && value !== null && !isPlain(text)) inspect(value, []);
  return value;
}

/** A key that is refused has one of these in its text, the escaped ones included. */
const telling = /__proto__|constructor|\\u/;

/** Whether a look at the text shows that nothing in it can be refused: the usual case, far cheaper than a walk. */
function isPlain(text: string): boolean {
  return text.length < longestPlain && !telling.test(text) && opens(text) < deepestNesting;
}

const longestPlain = 16_384;

/** How many brackets open in the text, at least as many as are nested in one another. */
function opens(text: string): number {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) count += 1;
  }
  return count;
}

function inspect(node: object, path: string[]): void {
  if (path.length >= deepestNesting) {
    const detail = `Nested deeper than ${deepestNesting} levels`;
    throw invalid('nested-too-deep', 'The body is nested too deep', detail, pointerTo(path));
  }
  // for…in is the fastest way over arrays and objects alike, and sees no inherited key: these come fresh from JSON.parse
  for (const key in node) {
    const child = (node as Record<string, unknown>)[key];
    if (key === '__proto__' || (key === 'constructor' && isObject(child) && Object.hasOwn(child, 'prototype'))) {
      throw invalid('forbidden-key', 'The body has a forbidden key', `"${key}" is refused`, pointerTo([...path, key]));
    }
    if (typeof child === 'object' && child !== null) {
      path.push(key);
      inspect(child, path);
      path.pop();
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function invalid(slug: string, title: string, detail: string, pointer?: string): Problem {
  return pointer === undefined
    ? new Problem(400, slug, title, { detail })
    : new Problem(400, slug, title, { errors: [{ pointer, detail }] });
}

const longestPointer = 500;

/** RFC 6901, cut at a length that nobody minds reading. */
export function pointerTo(path: readonly PropertyKey[]): string {
  const pointer = path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return pointer.length <= longestPointer ? pointer : `${pointer.slice(0, longestPointer)}…`;
}

/** Where decoding, which puts U+FFFD for what it cannot read, first departs from the bytes. */
function invalidUtf8At(body: Buffer): number {
  const decoded = Buffer.from(body.toString('utf8'));
  let index = 0;
  while (index < body.length && body[index] === decoded[index]) index += 1;
  // A cut-off character that begins like U+FFFD itself (EF BF BD) departs only after its beginning.
  if (body[index - 1] === 0xef) return index - 1;
  if (body[index - 2] === 0xef && body[index - 1] === 0xbf) return index - 2;
  return index;
}
