import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

interface Violation {
  rule: string;
  from: string;
  to: string;
}

/** What the workspace's own rules say of a tree. */
function cruise(cwd: string): Violation[] {
  const folders = readdirSync(cwd).filter((name) => ['apps', 'libs', 'test'].includes(name));
  const program = join(root, 'node_modules/.bin/depcruise');
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...folders, ...options], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (!stdout.startsWith('{')) throw new Error(stderr || stdout);
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] };
  };
  return summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

/** Files that keep every rule. */
const sound = {
  'libs/config/src/index.ts': `export { setting } from './setting.js';`,
  'libs/config/src/setting.ts': `export const setting = 1;`,
  'libs/logging/src/index.ts': `export { setting as level } from 'eyrie/config';`,
  'libs/database/src/index.ts': `export { Pool } from 'pg'; export { level } from 'eyrie/logging';`,
  'libs/database/src/pool.spec.ts': `import { planted } from '../../../test/harness/planted.js'; export { planted };`,
  'libs/jobs/src/index.ts': `export const jobs = 1;`,
  'libs/jobs/src/two.ts': `import './one.js'; // the way back of a cycle, which is reported once`,
  'libs/alerts/src/index.ts': `export { jobs } from 'eyrie/jobs';`,
  'apps/api/src/main.ts': `export { Pool } from 'eyrie/database'; export { jobs } from 'eyrie/alerts';`,
  'test/harness/planted.ts': `export const planted = 1;`,
};
/** Files that each break exactly the rule under which they stand, at the import that `to` describes. */
const planted: Record<string, { path: string; content: string; to: RegExp }[]> = {
  'layers:config': [
    { path: 'libs/config/src/upward.ts', content: `import 'eyrie/logging';`, to: /^libs\/logging\/src\/index\.ts$/ },
  ],
  'layers:logging': [
    {
      path: 'libs/logging/src/upward.ts',
      content: `import type { Pool } from 'eyrie/database';`,
      to: /^libs\/database/,
    },
    { path: 'libs/logging/src/lazily.ts', content: `await import('eyrie/alerts');`, to: /^libs\/alerts/ },
    { path: 'libs/logging/src/app.ts', content: `import '../../../apps/api/src/main.js';`, to: /^apps\/api/ },
  ],
  'layers:database': [
    { path: 'libs/database/src/sideways.ts', content: `import 'eyrie/jobs';`, to: /^libs\/jobs\/src\/index\.ts$/ },
  ],
  'layers:unlisted': [
    { path: 'libs/helpers/src/index.ts', content: `import 'eyrie/config';`, to: /^libs\/config\/src\/index\.ts$/ },
  ],
  'index-only': [
    {
      path: 'libs/logging/src/deep.ts',
      content: `import '../../config/src/setting.js';`,
      to: /^libs\/config\/src\/setting/,
    },
    {
      path: 'libs/logging/src/path.ts',
      content: `import '../../config/src/index.js';`,
      to: /^libs\/config\/src\/index/,
    },
    { path: 'apps/api/src/deep.ts', content: `import '../../../libs/config/src/setting.js';`, to: /^libs\/config/ },
  ],
  'apps-alone': [
    { path: 'apps/worker/src/main.ts', content: `import '../../api/src/main.js';`, to: /^apps\/api\/src\/main\.ts$/ },
  ],
  'no-cycles': [{ path: 'libs/jobs/src/one.ts', content: `import './two.js';`, to: /^libs\/jobs\/src\/two\.ts$/ }],
  'owner:pg': [{ path: 'libs/alerts/src/pool.ts', content: `import { Pool } from 'pg'; new Pool();`, to: /\/pg\// }],
  'owner:dotenv|@nestjs/config': [
    { path: 'apps/api/src/config.ts', content: `import '@nestjs/config';`, to: /\/@nestjs\/config\// },
  ],
  'owner:nestjs-pino|pino|pino-http|pino-pretty': [
    { path: 'libs/alerts/src/log.ts', content: `import { pino } from 'pino'; pino();`, to: /\/pino\// },
  ],
  'owner:graphile-worker': [
    { path: 'libs/alerts/src/queue.ts', content: `import 'graphile-worker';`, to: /\/graphile-worker\// },
  ],
  'owner:ioredis': [{ path: 'libs/jobs/src/redis.ts', content: `import 'ioredis';`, to: /\/ioredis\// }],
  'owner:@nestjs/terminus': [
    { path: 'apps/api/src/health.ts', content: `import '@nestjs/terminus';`, to: /\/@nestjs\/terminus\// },
  ],
  'owner:@node-rs/argon2': [
    { path: 'libs/alerts/src/hash.ts', content: `import '@node-rs/argon2';`, to: /\/@node-rs\/argon2\// },
  ],
  'owner:@opentelemetry/(?!api/)[^/]+|import-in-the-middle': [
    {
      path: 'libs/jobs/src/spans.ts',
      content: `import '@opentelemetry/api'; import '@opentelemetry/sdk-node';`,
      to: /\/@opentelemetry\/sdk-node\//,
    },
  ],
  'owner:prom-client|@willsoto/nestjs-prometheus': [
    { path: 'libs/jobs/src/count.ts', content: `import 'prom-client';`, to: /\/prom-client\// },
  ],
  'owner:nodemailer': [{ path: 'apps/api/src/mail.ts', content: `import 'nodemailer';`, to: /\/nodemailer\// }],
  'owner:ws': [{ path: 'apps/api/src/socket.ts', content: `import 'ws';`, to: /\/ws\// }],
  'owner:re2js': [{ path: 'libs/jobs/src/match.ts', content: `import 're2js';`, to: /\/re2js\// }],
  'no-test-code': [
    {
      path: 'libs/database/src/harness.ts',
      content: `import '../../../test/harness/planted.js';`,
      to: /^test\/harness/,
    },
    {
      path: 'libs/database/src/spec.ts',
      content: `import './pool.spec.js';`,
      to: /^libs\/database\/src\/pool\.spec\.ts$/,
    },
  ],
  unresolvable: [{ path: 'libs/alerts/src/gone.ts', content: `import './nowhere.js';`, to: /nowhere/ }],
};

describe('the layers', () => {
  let tree: string;
  let violations: Violation[];
  const inBreach = (path: string) => violations.filter(({ from }) => from === path);

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'eyrie-layers-'));
    ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs'].forEach((file) =>
      cpSync(join(root, file), join(tree, file)),
    );
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    const files = [
      ...Object.entries(sound),
      ...Object.values(planted).flatMap((each) => each.map((file) => [file.path, file.content] as const)),
    ];
    for (const [path, content] of files) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), `${content}\n`);
    }
    violations = cruise(tree);
  }, 60_000);
  afterAll(() => rmSync(tree, { recursive: true }));

  it.each(Object.entries(planted))('%s bites where it is broken, and no other rule does', (rule, files) => {
    for (const { path, to } of files) {
      expect(inBreach(path)).toEqual([{ rule, from: path, to: expect.stringMatching(to) }]);
    }
  });

  it('sound imports, by name or from a spec, are left alone', () => {
    expect(Object.keys(sound).flatMap(inBreach)).toEqual([]);
  });

  it('every rule has its planted violation, every library its layer', () => {
    const rules = ruleNames();
    const untested = rules.filter((name) => !(name in planted) && !name.startsWith('layers:'));
    const libraries = readdirSync(join(root, 'libs'));
    expect(untested).toEqual([]);
    expect(libraries.filter((library) => !rules.includes(`layers:${library}`))).toEqual([]);
  });

  it('the workspace keeps every rule', () => {
    expect(cruise(root)).toEqual([]);
  }, 60_000);
});

function ruleNames(): string[] {
  const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
    forbidden: { name: string }[];
  };
  return forbidden.map(({ name }) => name);
}
