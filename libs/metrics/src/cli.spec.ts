import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as prettier from 'prettier';
import { counter, gauge, histogram, metricsCli, metricsReference } from './index.js';

const sent = counter({ name: 'mails_sent_bytes_total', help: 'Mail | post sent.', labels: ['outcome', 'to'] });
const took = histogram({ name: 'mail_seconds', help: 'How long a mail took.', buckets: [1, 10] });

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'eyrie-metrics-'));
  mkdirSync(join(cwd, 'docs'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function run(...argv: string[]): { status: number; out: string; error: string } {
  let [out, error] = ['', ''];
  const status = metricsCli(argv, { cwd, write: (text) => (out += text), writeError: (text) => (error += text) });
  return { status, out, error };
}

describe('metricsReference', () => {
  it('D6: a row for each metric: name, type, labels, unit, meaning', () => {
    const table = metricsReference([sent, took])
      .split('\n')
      .filter((line) => line.startsWith('|'));
    expect(table.map((line) => line.replace(/ +/g, ' '))).toEqual([
      '| Metric | Type | Labels | Unit | Meaning |',
      '| ------------------------ | --------- | --------------- | ------- | --------------------- |',
      '| `mail_seconds` | histogram | | seconds | How long a mail took. |',
      '| `mails_sent_bytes_total` | counter | `outcome`, `to` | bytes | Mail \\| post sent. |',
    ]);
  });

  it('D6: by default all that is registered, Node’s own included, in the form that prettier leaves alone', async () => {
    const text = metricsReference();
    for (const name of ['http_requests_total', 'system_cpu_usage_percent', 'app_info', 'nodejs_gc_duration_seconds']) {
      expect(text).toContain(`| \`${name}\``);
    }
    expect(await prettier.check(text, { parser: 'markdown', printWidth: 120 })).toBe(true);
  });
});

describe('metricsCli', () => {
  it('D6: prints, writes and checks docs/metrics.md', () => {
    const file = join(cwd, 'docs/metrics.md');
    expect(run()).toEqual({ status: 0, out: metricsReference(), error: '' });
    expect(run('--check')).toMatchObject({ status: 1, error: expect.stringContaining('docs/metrics.md is stale') });
    expect(run('--write')).toEqual({ status: 0, out: 'wrote docs/metrics.md\n', error: '' });
    expect(readFileSync(file, 'utf8')).toBe(metricsReference());
    expect(run('--check')).toEqual({ status: 0, out: '', error: '' });
    writeFileSync(file, `${metricsReference()}\n`);
    expect(run('--check').status).toBe(1);
    run('--write');
    gauge({ name: 'new_since_then', help: 'x' });
    expect(run('--check').status).toBe(1);
  });

  it('D6: explains itself, and refuses what it does not know', () => {
    expect(run('--help')).toMatchObject({ status: 0, out: expect.stringContaining('npm run metrics') });
    for (const argv of [['--wrong'], ['extra'], ['--write', '--check']]) {
      expect(run(...argv)).toMatchObject({ status: 2, out: '', error: expect.stringContaining('Usage') });
    }
  });
});
