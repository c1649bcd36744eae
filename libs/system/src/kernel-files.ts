import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the kernel below `root`, trimmed; undefined where there is none, or none that may be read. */
export function read(root: string, ...path: string[]): string | undefined {
  try {
    return readFileSync(join(root, ...path), 'utf8').trim();
  } catch {
    return undefined; // another system, another version of cgroups, or a sandbox: there is always a fallback
  }
}

/** A file that holds one number; `max`, and whatever else is not a number, is undefined. */
export function readNumber(root: string, ...path: string[]): number | undefined {
  const text = read(root, ...path);
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** The number after `key` in a file of lines such as `inactive_file 4096` or `MemTotal:  16384 kB`. */
export function numberAfter(key: string, text: string | undefined): number | undefined {
  const match = text === undefined ? null : new RegExp(`^${key}:?\\s+(\\d+)`, 'm').exec(text);
  return match ? Number(match[1]) : undefined;
}
