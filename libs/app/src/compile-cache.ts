import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import module from 'node:module'; // not by name: a Node that has none of it has to get as far as `requireNode`
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folderIn = (directory: string) => join(directory, 'compile-cache');

/** Has V8 take what {@link fillCompileCache} made for the app in this directory, if it did. What does not fit is left alone. */
export function useCompileCache(directory: string): void {
  const folder = folderIn(directory);
  if (existsSync(folder)) module.enableCompileCache(folder);
}

/**
 * Loads every chunk of the bundle in this directory, and keeps what V8 compiled of it. It is of use to processes of the
 * same user, on the same path, with the same Node, V8 flags and kind of CPU; Node looks for no other.
 */
export async function fillCompileCache(directory: string): Promise<void> {
  const folder = resolve(folderIn(directory));
  mkdirSync(folder, { recursive: true });
  module.enableCompileCache(folder);
  const chunks = resolve(directory, 'chunks');
  for (const chunk of readdirSync(chunks)) await import(pathToFileURL(join(chunks, chunk)).href);
  module.flushCompileCache();
}
