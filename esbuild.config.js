/**
 * `node esbuild.config.js`, the last step of the build: each app of `nest-cli.json` as one file, `dist/bundle/<app>.js`,
 * with chunks beside it for what it shares or imports later. Most of an app's start is otherwise Node finding and reading
 * some 2,500 modules one by one. What is left is compiled here, too, and kept in `dist/bundle/compile-cache`.
 */
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const outdir = 'dist/bundle';
const { projects } = JSON.parse(readFileSync('nest-cli.json', 'utf8'));

/** These stay packages. */
const packages = [
  // Tracing patches them as they are imported.
  'pg',
  'ioredis',
  // They find their own files: hooks for that patching, a native library, protocol descriptions.
  'import-in-the-middle',
  'require-in-the-middle',
  '@node-rs/argon2',
  '@grpc/grpc-js',
  // Nothing that runs loads them, but for migrations.
  'typeorm',
  'typescript',
];

/** Who imports `node:http` is given its WebSocket with it, for which Node loads its HTTP client. Who requires it is not. */
const leanHttp = {
  name: 'lean-http',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace: 'required' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};

/** What packages import in case it is installed stays an import where it is not. */
const optional = {
  name: 'optional',
  setup({ onResolve, resolve: find }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === optional) return undefined;
      const { errors } = await find(path, { ...options, pluginData: optional });
      return errors.length > 0 ? { path, external: true } : undefined;
    });
  },
};

/**
 * Classes are told by their names in logs, metrics and documents, and esbuild renames what would stand for two things. Its own
 * `keepNames` would name every function again, at each request those that are made for it.
 */
const classNames = {
  name: 'class-names',
  setup({ onLoad }) {
    const declared = /^((?:export )?(?:let \w+ = (?:\w+ = )?)?class (\w+)(?: extends [\w.$]+)? \{)/gm;
    const named = `$1 static { Object.defineProperty(this, 'name', { value: '$2', configurable: true }); }`;
    onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(declared, named),
    }));
  },
};

/** One character beyond Latin-1 doubles what V8 keeps of a file. esbuild leaves some, in comments and regular expressions. */
const ascii = {
  name: 'ascii',
  setup({ onEnd }) {
    const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    onEnd(({ outputFiles }) => {
      mkdirSync(join(outdir, 'chunks'), { recursive: true });
      for (const { path, text } of outputFiles) writeFileSync(path, text.replace(/[^\0-\x7f]/g, escaped));
    });
  },
};

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: Object.fromEntries(Object.keys(projects).map((app) => [app, `dist/apps/${app}/src/main.js`])),
  outdir,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  external: packages,
  plugins: [leanHttp, optional, classNames, ascii],
  write: false,
  // Packages in CommonJS ask for Node's modules with `require`.
  banner: { js: `const require = process.getBuiltinModule('module').createRequire(import.meta.url);` },
  logLevel: 'warning',
});
execFileSync(process.execPath, ['dist/libs/app/src/fill-compile-cache.js', outdir], { stdio: 'inherit' });
