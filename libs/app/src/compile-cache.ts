import { existsSync } from 'node:fs';
import module from 'node:module'; // not by name: a Node that has none of it has to get as far as `requireNode`
import { join } from 'node:path';

/** Where the bundle in a directory keeps what V8 has compiled of it. */
export const compileCacheIn = (directory: string) => join(directory, 'compile-cache');

/** Has V8 take what was compiled at the build of the bundle in this directory, if it was. What does not fit is left alone. */
export function useCompileCache(directory: string): void {
  const folder = compileCacheIn(directory);
  if (existsSync(folder)) module.enableCompileCache(folder);
}
