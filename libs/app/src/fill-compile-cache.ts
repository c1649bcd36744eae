/**
 * `node fill-compile-cache.js BUNDLE` loads every chunk of a bundle, and keeps what V8 compiled of it. It is of use to
 * processes of the same user, on the same path, with the same Node, V8 flags and kind of CPU; Node looks for no other.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileCacheIn } from './compile-cache.js';
import { holdYoungGeneration } from './young-generation.js';

const bundle = resolve(process.argv[2]!);
const folder = compileCacheIn(bundle);
mkdirSync(folder, { recursive: true });
holdYoungGeneration(); // as the apps do: V8 takes nothing that was compiled under other flags
enableCompileCache(folder);
const chunks = join(bundle, 'chunks');
for (const chunk of readdirSync(chunks)) await import(pathToFileURL(join(chunks, chunk)).href);
flushCompileCache();
process.exit(0); // whatever a module has begun as it was loaded
