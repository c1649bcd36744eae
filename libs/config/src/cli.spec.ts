import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as prettier from 'prettier';
import * as z from 'zod';
import { type CliOptions, settingsCli } from './cli.js';
import { renderEnvExample, renderMarkdown } from './documents.js';
import { loadSettings } from './load.js';
import { duration, port } from './schemas.js';
import { defineSettings, setting } from './setting.js';

const server = defineSettings({
  port: setting('PORT', port().default(3000), { description: 'Where the API listens.' }),
  limitMs: setting('REQUEST_LIMIT', duration().default(120_000), { description: 'The longest | request.' }),
});
const logging = defineSettings({
  format: setting('LOG_FORMAT', z.enum(['json', 'text']).default('json'), {
    description: 'One line a record, for programs or for people.',
    defaults: { development: 'text' },
  }),
  banner: setting('BANNER', z.string().default(`it's "here" # now`), { description: 'Printed at start.' }),
});
const ingest = defineSettings({
  key: setting('INGEST_KEY', z.string().min(16), {
    description: 'The first API key.',
    secret: true,
    example: 'an-example-ingest-key',
  }),
});
const slicesByApp = { api: { logging, server, ingest }, worker: { logging } };

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'eyrie-config-'));
  mkdirSync(join(cwd, 'docs'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function run(argv: string[], env: CliOptions['env'] = { INGEST_KEY: 'planted-secret-value' }) {
  let [out, err] = ['', ''];
  const write = (text: string) => void (out += text);
  const status = settingsCli(slicesByApp, argv, { env, cwd, write, writeError: (text) => void (err += text) });
  return { status, out, err };
}

describe('npm run config', () => {
  it('A5: prints each effective setting once: value, source, default and apps, secrets redacted', () => {
    writeFileSync(join(cwd, '.env'), 'PORT=81\nPRT=1');
    const { status, out } = run([]);
    expect(out).toBe(
      [
        'environment: development',
        '',
        'setting        value              source       default            apps',
        '-------------  -----------------  -----------  -----------------  ----------',
        'LOG_FORMAT     text               default      text               api,worker',
        `BANNER         it's "here" # now  default      it's "here" # now  api,worker`,
        'PORT           81                 file .env    3000               api',
        'REQUEST_LIMIT  2m                 default      2m                 api',
        'INGEST_KEY     [redacted]         environment  -                  api',
        '',
        'PRT in file .env is not a setting: did you mean PORT?',
        '',
      ].join('\n'),
    );
    expect(status).toBe(0);
  });

  it('A5: shows a faulty environment too, with every fault, and status 78', () => {
    const { status, out } = run([], { PORT: 'http' });
    expect(out).toMatch(/^PORT +http +environment +3000 +api +wanted a port/m);
    expect(out).toMatch(/\n\nPORT: wanted a port .*, given http\nINGEST_KEY: wanted text .*, given nothing\n$/);
    expect(status).toBe(78);
  });

  it('A5: --json gives the same to programs', () => {
    const report = JSON.parse(run(['--json']).out) as { environment: string; settings: Record<string, unknown>[] };
    expect(report.environment).toBe('development');
    expect(report.settings.at(-1)).toEqual({
      name: 'INGEST_KEY',
      value: '[redacted]',
      source: 'environment',
      default: '',
      description: 'The first API key.',
      slice: 'ingest',
      apps: ['api'],
    });
  });

  it('A5: docs --check fails, naming the file, until docs --write, and again after a change', () => {
    expect(run(['docs', '--check'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('.env.example is stale'),
    });
    expect(run(['docs', '--write'])).toMatchObject({
      status: 0,
      out: 'wrote .env.example\nwrote docs/configuration.md\n',
    });
    expect(run(['docs', '--check'])).toEqual({ status: 0, out: '', err: '' });
    const path = join(cwd, 'docs/configuration.md');
    writeFileSync(path, readFileSync(path, 'utf8').replace('3000', '3001'));
    expect(run(['docs', '--check'])).toMatchObject({
      status: 1,
      err: 'docs/configuration.md is stale: run npm run config -- docs --write and commit it.\n',
    });
  });

  it.each([[['docs']], [['show', 'more']], [['--write']], [['docs', '--json']], [['--nope']]])(
    'A5: answers the wrong command line %j with its usage and status 2',
    (argv) => expect(run(argv)).toMatchObject({ status: 2, err: expect.stringContaining('Usage: npm run config') }),
  );
});

describe('documents', () => {
  it('A5: .env.example, uncommented, sets every setting to its default, or its example', () => {
    const text = renderEnvExample(slicesByApp);
    expect(text).toContain(
      '# One line a record, for programs or for people.\n# (one of json, text; text in development)\n# LOG_FORMAT=json\n',
    );
    expect(parseEnv(text)).toEqual({ INGEST_KEY: 'an-example-ingest-key' });
    const env = parseEnv(text.replaceAll(/^# ([A-Z_]+=)/gm, '$1')) as Record<string, string>;
    const settings = loadSettings(slicesByApp.api, { env: { ...env, SECRETS_DIR: '' }, cwd });
    expect(settings).toEqual({
      environment: 'development',
      logging: { format: 'json', banner: `it's "here" # now` },
      server: { port: 3000, limitMs: 120_000 },
      ingest: { key: 'an-example-ingest-key' },
    });
  });

  it('A5: docs/configuration.md has a row for each setting, in the form that prettier leaves alone', async () => {
    const text = renderMarkdown(slicesByApp);
    const rows = text.split('\n').map((line) => line.replace(/ {2,}/g, ' '));
    expect(rows).toContain(
      '| `PORT` | Where the API listens. | a port from 0 (any free one) to 65535 | `3000` | api |',
    );
    expect(rows).toContain(
      '| `INGEST_KEY` | The first API key. **Secret.** | text of at least 16 characters | required | api |',
    );
    expect(rows.join('\n')).toContain('| `json`; `text` in development | api, worker |');
    expect(rows.join('\n')).toContain('The longest \\| request.');
    expect(await prettier.format(text, { parser: 'markdown', printWidth: 120, singleQuote: true })).toBe(text);
  });

  it('A5: a variable that two apps define differently is a mistake', () => {
    const other = defineSettings({ port: setting('PORT', port().default(3001), { description: 'Another.' }) });
    expect(() => renderMarkdown({ api: { server }, worker: { other } })).toThrow('PORT is defined twice');
  });
});
