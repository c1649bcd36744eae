import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { describeSettings, loadSettings, SettingsError } from './load.js';
import { duration, flag, list, port, size } from './schemas.js';
import { defineSettings, setting } from './setting.js';

const server = defineSettings(
  {
    port: setting('PORT', port().default(3000), { description: 'Where the API listens.' }),
    requestLimitMs: setting('REQUEST_LIMIT', duration().prefault('2m'), { description: 'Longest request.' }),
    bodyLimit: setting('BODY_LIMIT', size().default(2 ** 21), { description: 'Largest body.' }),
    origins: setting('CORS_ORIGINS', list().default([]), { description: 'Who may call from a browser.' }),
  },
  {
    check: ({ origins }, environment) =>
      environment === 'production' && origins.includes('*')
        ? [{ name: 'CORS_ORIGINS', wanted: 'a list of origins in production, not *' }]
        : [],
  },
);
const database = defineSettings({
  url: setting('DATABASE_URL', z.url().optional(), { description: 'PostgreSQL.', secret: true }),
  poolMax: setting('DATABASE_POOL_MAX', z.coerce.number().int().min(1).default(10), {
    description: 'Connections.',
    defaults: { test: '2' },
  }),
  debug: setting('DATABASE_DEBUG', flag().default(false), { description: 'Log statements.' }),
});
const ingest = defineSettings({
  key: setting('INGEST_KEY', z.string().min(16), {
    description: 'The first API key.',
    secret: true,
    example: 'an-example-ingest-key',
  }),
});
const strongKey = 'v8Rk2pXw9QzL4mTn';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'eyrie-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** Writes a file under the test's folder and returns its path. */
function file(name: string, content: string): string {
  const path = join(cwd, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** The faults of a load, each as the line that is printed. */
function faultsOf(slices: Parameters<typeof loadSettings>[0], env: Record<string, string>): string[] {
  try {
    loadSettings(slices, { env, cwd });
  } catch (error) {
    if (error instanceof SettingsError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
}

describe('sources', () => {
  it('A1: reads the three .env files, the most specific first, and the process environment wins over all', () => {
    file('.env', 'ENVIRONMENT=staging\nPORT=1\nREQUEST_LIMIT=1s\nBODY_LIMIT=1kB\nCORS_ORIGINS=base');
    file('.env.staging', 'PORT=2\nREQUEST_LIMIT=2s\nBODY_LIMIT=2kB');
    file('.env.staging.local', 'PORT=3\nREQUEST_LIMIT=3s');
    file('.env.production', 'PORT=9\nCORS_ORIGINS=other');
    const settings = loadSettings({ server }, { env: { PORT: '4' }, cwd });
    expect(settings).toEqual({
      environment: 'staging',
      server: { port: 4, requestLimitMs: 3000, bodyLimit: 2000, origins: ['base'] },
    });
  });

  it('A1: is development by default, whatever NODE_ENV says, and refuses an unknown environment', () => {
    expect(loadSettings({ server }, { env: { NODE_ENV: 'production' }, cwd }).environment).toBe('development');
    expect(faultsOf({ server }, { ENVIRONMENT: 'prod' })).toEqual([
      'ENVIRONMENT: wanted one of development, test, staging, production, given prod',
    ]);
  });

  it('A1: reads quotes, comments, exports, CRLF and a byte order mark in .env', () => {
    file('.env', '\uFEFFPORT=81\r\nexport REQUEST_LIMIT="5s" # five\r\n# BODY_LIMIT=1\r\nCORS_ORIGINS=\'a, b\'\r\n');
    const settings = loadSettings({ server }, { env: {}, cwd });
    expect(settings.server).toEqual({ port: 81, requestLimitMs: 5000, bodyLimit: 2_097_152, origins: ['a', 'b'] });
  });

  it('A1: takes an empty value for "the default", over weaker sources', () => {
    file('.env', 'PORT=81');
    expect(loadSettings({ server }, { env: { PORT: '' }, cwd }).server.port).toBe(3000);
  });

  it('A1: names a .env that is there but cannot be read', () => {
    mkdirSync(join(cwd, '.env'));
    expect(faultsOf({ server }, {})).toEqual(['.env: wanted a readable file, given EISDIR']);
  });

  it('A3: reads <NAME>_FILE from any source, without its trailing newline', () => {
    const secret = file('key', 'from the file, with spaces \n');
    expect(loadSettings({ ingest }, { env: { INGEST_KEY_FILE: secret }, cwd }).ingest.key).toBe(
      'from the file, with spaces ',
    );
    file('.env', 'INGEST_KEY_FILE=key');
    expect(loadSettings({ ingest }, { env: {}, cwd }).ingest.key).toBe('from the file, with spaces ');
    expect(loadSettings({ ingest }, { env: { INGEST_KEY: strongKey }, cwd }).ingest.key).toBe(strongKey);
  });

  it('A3: reads every file of SECRETS_DIR, in upper or lower case, weaker than .env', () => {
    file('secrets/INGEST_KEY', `${strongKey}\n`);
    file('secrets/port', '82');
    file('secrets/unrelated', 'x');
    file('.env', 'SECRETS_DIR=secrets');
    const { ingest: values, server: http } = loadSettings({ ingest, server }, { env: {}, cwd });
    expect([values.key, http.port]).toEqual([strongKey, 82]);
    file('.env', 'SECRETS_DIR=secrets\nPORT=83');
    expect(loadSettings({ ingest, server }, { env: {}, cwd }).server.port).toBe(83);
  });

  it('A3: refuses a setting given twice, an unreadable or empty secret file, a missing SECRETS_DIR', () => {
    const empty = file('empty', '\n');
    file('double/PORT', '1');
    file('double/port', '2');
    const missing = join(cwd, 'missing');
    expect(faultsOf({ ingest }, { INGEST_KEY: strongKey, INGEST_KEY_FILE: empty })).toEqual([
      'INGEST_KEY: wanted either INGEST_KEY or INGEST_KEY_FILE, given both',
    ]);
    expect(faultsOf({ ingest }, { INGEST_KEY_FILE: missing })).toEqual([
      `INGEST_KEY_FILE: wanted a readable file, given ${missing} (ENOENT)`,
    ]);
    expect(faultsOf({ ingest }, { INGEST_KEY_FILE: empty })).toEqual([
      `INGEST_KEY_FILE: wanted a file that is not empty, given ${empty}`,
    ]);
    expect(faultsOf({ ingest }, { INGEST_KEY_FILE: cwd })).toEqual([
      `INGEST_KEY_FILE: wanted a readable file, given ${cwd} (EISDIR)`,
    ]);
    expect(faultsOf({ server }, { SECRETS_DIR: missing })).toEqual([
      `SECRETS_DIR: wanted a readable folder, given ${missing} (ENOENT)`,
    ]);
    expect(faultsOf({ server }, { SECRETS_DIR: join(cwd, 'double') })).toEqual([
      `PORT: wanted one secret file, given ${cwd}/double/PORT and ${cwd}/double/port`,
    ]);
  });
});

describe('faults', () => {
  it('A2: prints every fault at once, with name, what is wanted and what was given, secrets redacted', () => {
    const env = {
      ENVIRONMENT: 'production',
      PORT: 'http',
      REQUEST_LIMIT: '30',
      BODY_LIMIT: 'huge',
      CORS_ORIGINS: 'https://a.example,*',
      DATABASE_URL: 'planted-secret',
      DATABASE_POOL_MAX: '0',
      DATABASE_DEBUG: 'maybe',
    };
    expect(faultsOf({ server, database, ingest }, env)).toEqual([
      'PORT: wanted a port from 0 (any free one) to 65535, given http',
      'REQUEST_LIMIT: wanted a duration such as 30s or 1h30m, given 30',
      'BODY_LIMIT: wanted a size such as 64kB or 2MiB, given huge',
      'CORS_ORIGINS: wanted a list of origins in production, not *, given https://a.example,*',
      'DATABASE_URL: wanted a URL, given [redacted]',
      'DATABASE_POOL_MAX: wanted an integer of at least 1, given 0',
      'DATABASE_DEBUG: wanted true or false, given maybe',
      'INGEST_KEY: wanted text of at least 16 characters, given nothing',
    ]);
  });

  it("A2: redacts a secret even if a rule's own fault quotes it, and credentials in any URL", () => {
    const careless = defineSettings(
      {
        token: setting('TOKEN', z.string(), { description: 'A token.', secret: true }),
        proxy: setting('PROXY', z.url({ protocol: /^https$/ }), { description: 'A proxy.' }),
      },
      { check: ({ token }) => [{ name: 'TOKEN', wanted: 'another', given: token }] },
    );
    const env = { TOKEN: 'planted-secret', PROXY: 'https://user:planted-secret@proxy' };
    expect(faultsOf({ careless }, env)).toEqual(['TOKEN: wanted another, given [redacted]']);
    expect(faultsOf({ careless }, { ...env, PROXY: 'http://user:planted-secret@proxy' })).toEqual([
      'PROXY: wanted a URL, given http://[redacted]@proxy',
    ]);
    expect(JSON.stringify(describeSettings({ careless }, { env, cwd }))).not.toContain('planted-secret');
  });

  it('A2: shows blanks and control characters of a wrong value', () => {
    expect(faultsOf({ server }, { PORT: 'http\n' })[0]).toMatch(/given "http\\n"$/);
  });

  it('A2: refuses mistakes of programs: two meanings for a name, a claimed _FILE, a reserved name', () => {
    const again = defineSettings({ port: setting('PORT', z.string(), { description: '' }) });
    const portFile = defineSettings({ file: setting('PORT_FILE', z.string().optional(), { description: '' }) });
    expect(() => loadSettings({ server, again }, { env: {}, cwd })).toThrow('PORT is defined twice');
    expect(() => loadSettings({ server, portFile }, { env: {}, cwd })).toThrow('PORT_FILE is both a setting');
    expect(() => setting('ENVIRONMENT', z.string(), { description: '' })).toThrow('belongs to libs/config');
    expect(() => setting('poolMax', z.string(), { description: '' })).toThrow('wanted UPPER_CASE');
  });

  it('A2: the result is frozen in depth and typed', () => {
    const settings = loadSettings({ server }, { env: { CORS_ORIGINS: 'a' }, cwd });
    const origins: string[] = settings.server.origins;
    expect(() => origins.push('b')).toThrow(TypeError);
    expect(() => Object.assign(settings.server, { port: 1 })).toThrow(TypeError);
    // @ts-expect-error there is no such setting
    expect(settings.server.prot).toBeUndefined();
  });

  it('A2: a program with a bad environment ends with status 78 and every fault on stderr', () => {
    const program = `
      import { loadSettingsOrExit } from './libs/config/src/load.ts';
      import { port } from './libs/config/src/schemas.ts';
      import { defineSettings, setting } from './libs/config/src/setting.ts';
      const field = (name: string) => setting(name, port(), { description: '' });
      loadSettingsOrExit({ a: defineSettings({ one: field('ONE_PORT'), two: field('TWO_PORT') }) }, { cwd: '${cwd}' });
      console.log('started');`;
    const { status, stderr, stdout } = spawnProgram(program, { ONE_PORT: 'x' });
    expect(stderr).toContain('ONE_PORT: wanted a port from 0 (any free one) to 65535, given x\n  TWO_PORT: wanted');
    expect([status, stdout]).toEqual([78, '']);
  });

  it('A2: a likely misspelling in a .env file is a warning; in the process environment it is not ours', () => {
    file('.env', 'DATABSE_POOL_MAX=3\nINGEST_KEY_FLIE=x\nHOST=localhost\nPORT=1\nUNRELATED_THING=1');
    file('.env.development', 'ENVIRONMENT=production');
    const warnings: string[] = [];
    const slices = { server, database };
    loadSettings(slices, { env: { PROT: '1' }, cwd, warn: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      'ENVIRONMENT has no effect in file .env.development',
      'DATABSE_POOL_MAX in file .env is not a setting: did you mean DATABASE_POOL_MAX?',
    ]);
  });
});

describe('production', () => {
  const production = { ENVIRONMENT: 'production' };

  it('A4: refuses a development secret, which development accepts', () => {
    const env = { INGEST_KEY: 'an-example-ingest-key' };
    expect(loadSettings({ ingest }, { env, cwd }).ingest.key).toBe('an-example-ingest-key');
    expect(faultsOf({ ingest }, { ...production, ...env })).toEqual([
      'INGEST_KEY: wanted a secret of your own, not the documented example, in production, given [redacted]',
    ]);
    expect(faultsOf({ ingest }, { ...production, INGEST_KEY: strongKey })).toEqual([]);
  });

  it('A4: refuses a secret that has a default and was not set', () => {
    const slice = defineSettings({
      secret: setting('SECRET_KEY', z.string().default('a-default-everybody-knows'), {
        description: 'Signs.',
        secret: true,
        example: 'a-default-everybody-knows',
      }),
    });
    expect(faultsOf({ slice }, production)).toEqual([
      'SECRET_KEY: wanted a secret of your own, not the documented example, in production, given [redacted]',
    ]);
    expect(faultsOf({ slice }, {})).toEqual([]);
  });

  it("A4: runs the slices' own rules in the environment that they name", () => {
    expect(faultsOf({ server }, { ...production, CORS_ORIGINS: '*' })).toHaveLength(1);
    expect(faultsOf({ server }, { CORS_ORIGINS: '*' })).toEqual([]);
  });
});

describe('describeSettings', () => {
  it('A5: gives value, source, default and description of each setting, secrets redacted', () => {
    const secret = file('key', strongKey);
    file('.env', 'DATABASE_DEBUG=on');
    const env = { ENVIRONMENT: 'test', DATABASE_URL: 'postgres://planted@db', INGEST_KEY_FILE: secret };
    expect(describeSettings({ database, ingest }, { env, cwd })).toEqual([
      {
        name: 'DATABASE_URL',
        value: '[redacted]',
        source: 'environment',
        default: '',
        description: 'PostgreSQL.',
        slice: 'database',
      },
      {
        name: 'DATABASE_POOL_MAX',
        value: '2',
        source: 'default',
        default: '2',
        description: 'Connections.',
        slice: 'database',
      },
      {
        name: 'DATABASE_DEBUG',
        value: 'on',
        source: 'file .env',
        default: 'false',
        description: 'Log statements.',
        slice: 'database',
      },
      {
        name: 'INGEST_KEY',
        value: '[redacted]',
        source: `secret file ${secret}`,
        default: '',
        description: 'The first API key.',
        slice: 'ingest',
      },
    ]);
  });
});

/** Runs TypeScript in a process of its own, from the root of the workspace. */
function spawnProgram(program: string, env: Record<string, string>) {
  const resolveTypeScript = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve: (specifier, context, next) => context.parentURL?.includes('/libs/')
      ? next(specifier.replace(/^(\\..*)\\.js$/, '$1.ts'), context) : next(specifier, context) });`;
  const hook = `data:text/javascript,${encodeURIComponent(resolveTypeScript)}`;
  const flags = ['--no-warnings', '--experimental-transform-types', '--import', hook, '--input-type=module-typescript'];
  return spawnSync(process.execPath, [...flags, '--eval', program], { env, encoding: 'utf8' });
}
