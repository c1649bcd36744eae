import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const hooks = join(import.meta.dirname, '../../../test/harness/typescript-hooks.mjs');
const flags = ['--no-warnings', '--experimental-transform-types', '--import', hooks];
const source = (name: string) => join(import.meta.dirname, name);

describe('an app whose bundle was compiled when it was built', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'eyrie-bundle-'));
    await mkdir(join(directory, 'chunks'));
    await writeFile(join(directory, 'chunks/program.mjs'), 'export default 1;');
    const main = [
      `import { useCompileCache } from '${source('compile-cache.ts')}';`,
      `import { holdYoungGeneration } from '${source('young-generation.ts')}';`,
      'holdYoungGeneration();',
      'useCompileCache(import.meta.dirname);',
      `await import('./chunks/program.mjs');`,
    ];
    await writeFile(join(directory, 'main.mjs'), main.join('\n'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** What Node tells of its cache meanwhile. */
  const toldBy = async (program: string, ...args: string[]) => {
    const env = { ...process.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
    return (await promisify(execFile)(process.execPath, [...flags, program, ...args], { env })).stderr;
  };

  it('does not compile it again', async () => {
    await toldBy(source('fill-compile-cache.ts'), directory);
    expect(await toldBy(join(directory, 'main.mjs'))).toMatch(/code cache for ESM \S*program\.mjs was accepted/);
  });

  it('lets a Node without such a cache get as far as to say that it is too old', async () => {
    const old = [
      `import { registerHooks } from 'node:module';`,
      `const without = { url: 'data:text/javascript,export default {}', shortCircuit: true };`,
      `const resolve = (name, context, next) => (name === 'node:module' ? without : next(name, context));`,
      'registerHooks({ resolve });',
      `await import('${source('serve.ts')}');`,
    ];
    await writeFile(join(directory, 'old.mjs'), old.join('\n'));
    await expect(toldBy(join(directory, 'old.mjs'))).resolves.toBe('');
  });

  it('does as ever where it was not', async () => {
    expect(await toldBy(join(directory, 'main.mjs'))).toBe('');
  });
});
