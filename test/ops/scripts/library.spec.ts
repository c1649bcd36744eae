/** The pure functions of deploy/scripts/lib, and .env, called as the scripts call them. */
import { expect, describe, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIB = fileURLToPath(new URL('../../../deploy/scripts/lib/', import.meta.url));

/** What `script` prints after the library was sourced, each argument as $1, $2, … */
function bash(script: string, args: readonly string[] = [], input = ''): string {
  const text = `source "${LIB}main.sh"; source "${LIB}cutover.sh"; trap - EXIT ERR; set +e; ${script}`;
  return execFileSync('bash', ['-c', text, 'verb', ...args], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

describe('plan_roll', () => {
  const plan = (want: number, fresh: string, stale: string) =>
    bash('plan_roll "$@"', [String(want), fresh, stale]).trimEnd().split('\n').join(', '); // prettier-ignore

  it.each([
    [
      'a new version replaces one after the other',
      3,
      '',
      'a b c',
      'start 4, remove a, start 4, remove b, start 4, remove c',
    ],
    ['an empty slot is filled at once', 3, '', '', 'start 3'],
    ['all is there', 2, 'x y', '', ''],
    ['killed after the start of the first', 3, 'x', 'a b c', 'remove a, start 4, remove b, start 4, remove c'],
    ['killed after the removal of the first', 3, 'x', 'b c', 'start 4, remove b, start 4, remove c'],
    ['going back after one was exchanged', 3, 'a b c', 'x', 'remove x'],
    ['fewer are wanted', 2, 'a b c d', '', 'remove d, remove c'],
    ['more are wanted', 3, 'a', '', 'start 3'],
    ['none are wanted', 0, '', 'a b', 'remove a, remove b'],
  ])('O1: %s', (_, want, fresh, stale, steps) => expect(plan(want, fresh, stale)).toBe(steps));

  it('O1: at no time has a slot fewer than it wants, however it begins', () => {
    for (const want of [1, 2, 3]) {
      for (const [fresh, stale] of [0, 1, 2, 3, 4].flatMap((f) => [0, 1, 2, 3, 4].map((s) => [f, s] as const))) {
        const names = (prefix: string, count: number) =>
          Array.from({ length: count }, (_, i) => `${prefix}${i}`).join(' ');
        let total = fresh + stale;
        const least = Math.min(total, want);
        for (const step of plan(want, names('f', fresh), names('s', stale)).split(', ').filter(Boolean)) {
          total = step.startsWith('start ') ? Number(step.slice(6)) : total - 1;
          expect(total).toBeGreaterThanOrEqual(least);
          expect(total).toBeLessThanOrEqual(Math.max(want + 1, fresh + stale));
        }
        expect(total).toBe(want);
      }
    }
  }, 60_000);
});

it.each([
  ['3 10', '1'],
  ['3 50', '2'],
  ['3 67', '3'],
  ['10 1', '1'],
  ['1 99', '1'],
])('O3: a share of %s %% is %s replicas', (args, replicas) => {
  expect(bash('share "$@"', args.split(' '))).toBe(`${replicas}\n`);
});

it.each([
  ['10', '10,50', '10 50'],
  ['5', '50,25,100', '5 25 50'],
])('O3: a canary of %s and %s takes the shares %s', (weight, steps, weights) => {
  expect(bash('plan_canary "$@"', [weight, steps])).toBe(`${weights}\n`);
});

describe('good_releases', () => {
  const good = (...lines: string[]) =>
    bash('good_releases', [], lines.map((line) => `T ${line.split(' ')[0]} D ${line.split(' ').slice(1).join(' ')} R\n`).join('')) // prettier-ignore
      .trim()
      .split('\n')
      .join(' ');

  it.each([
    ['v1 found good|v2 rolling good', 'v1 v2'],
    ['v1 found good|v2 rolling failed', 'v1'],
    ['v1 found good|v2 rolling good|v2 rolling good', 'v1 v2'],
    ['v1 found good|v2 canary good|v3 rolling good|v2 rollback good', 'v1 v2'],
    ['v1 found good|v2 canary good|v3 rolling good|v1 rollback good', 'v1'],
    ['v1 found good|v2 canary good|v1 rollback good|v3 rolling good', 'v1 v3'],
    ['v1 found good|v2 canary good|v1 rolling good', 'v1 v2 v1'],
  ])('O2: %s leaves %s', (lines, images) => expect(good(...lines.split('|'))).toBe(images));
});

describe('verdict', () => {
  const verdict = (suspect: string, stable: string) => {
    const text = bash('verdict "$@" && echo good || echo bad', [suspect, stable]).trim().split('\n');
    return { verdict: text.at(-1), finding: text[0] };
  };

  it.each([
    ['nothing wrong', '1000 0 20', '1000 0 20', 'good'],
    ['no requests at all', '0 0 0', '0 0 0', 'good'],
    ['a single 5xx never counts', '10 1 20', '1000 0 20', 'good'],
    ['2 % of 5xx where the others have none', '100 2 20', '1000 0 20', 'bad'],
    ['2 % of 5xx where the others have as many', '100 2 20', '1000 20 20', 'good'],
    ['exactly as many more as allowed', '1000 10 20', '1000 0 20', 'good'],
    ['slower, below what counts', '1000 0 90', '1000 0 20', 'good'],
    ['slower by more than allowed', '1000 0 200', '1000 0 100', 'bad'],
    ['slower, but no more than allowed', '1000 0 150', '1000 0 100', 'good'],
    ['slower, of too few requests', '49 0 900', '1000 0 100', 'good'],
    ['slower than too few requests of the others', '1000 0 900', '49 0 100', 'good'],
  ])('O3: %s', (_, suspect, stable, wanted) => expect(verdict(suspect, stable).verdict).toBe(wanted));

  it('O3: names the figure', () => {
    expect(verdict('100 5 20', '1000 0 20').finding).toMatch(/^5\.0 % of 100 requests answered with 5xx/);
    expect(verdict('100 0 400', '1000 0 100').finding).toMatch(
      /^p95 latency 400 ms over 100 requests \(others: 100 ms/,
    );
  });
});

describe('summary', () => {
  const summary = (before: string, after: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'eyrie-summary-'));
    const files = [before, after].map((text, i) => {
      const file = join(directory, String(i));
      writeFileSync(file, text);
      return file;
    });
    try {
      return bash('summary "$@"', files).trim();
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
  const counters = (name: string, requests: number, errors: number, fast: number) =>
    `${name} requests ${requests}\n${name} errors ${errors}\n${name} le 0.1 ${fast}\n${name} le 0.5 ${requests}\n${name} le +Inf ${requests}\n`;

  it('O3: counts what happened between two looks, over all replicas', () => {
    const before = counters('a', 1_000, 10, 1_000) + counters('b', 0, 0, 0);
    const after = counters('a', 1_100, 12, 1_100) + counters('b', 100, 1, 100);
    expect(summary(before, after)).toBe('200 3 95');
  });

  it('O3: finds the 95th percentile within its bucket', () => {
    expect(summary('', counters('a', 100, 0, 90))).toBe('100 0 300');
  });

  it('O3: takes a counter that has fallen for one that began anew', () => {
    expect(summary(counters('a', 1_000, 10, 1_000), counters('a', 50, 0, 50))).toBe('50 0 95');
  });

  it('O3: a replica that has come between counts whole', () => {
    expect(summary(counters('a', 10, 0, 10), counters('a', 10, 0, 10) + counters('b', 20, 0, 20))).toBe('20 0 95');
  });
});

describe('.env', () => {
  const change = (text: string, script: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'eyrie-env-'));
    const file = join(directory, '.env');
    writeFileSync(file, text, { mode: 0o600 });
    try {
      const printed = bash(`enter_environment "$1"; ${script}`, [directory]);
      return { printed, text: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 };
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it.each([
    ['A=plain', 'plain'],
    ['A="in quotes" # and more', 'in quotes'],
    ["A='single'", 'single'],
    ['A=plain # a remark', 'plain'],
    ['A=a#b', 'a#b'],
    ['export A=exported', 'exported'],
    ['A=first\nA=last', 'last'],
    ['#A=remark', 'default'],
    ['A=', 'default'],
    ['AA=other', 'default'],
  ])('O1: reads %j', (text, value) => {
    expect(change(`${text}\n`, 'env_get A default').printed).toBe(`${value}\n`);
  });

  it('O1: a value is replaced in its place, and the rest stays as it was', () => {
    const { text, mode } = change('# why\nA=1 # one\nB=2\n', 'env_set A eyrie:2@sha256:ab; env_set C 3');
    expect(text).toBe('# why\nA=eyrie:2@sha256:ab\nB=2\nC=3\n');
    expect(mode).toBe(0o600);
  });

  it('O1: refuses a value that could be more than one', () => {
    expect(() => change('A=1\n', 'env_set A "x y"')).toThrow(/cannot be the value of A/);
  });
});

it.each([
  ['ghcr.io/example/eyrie:1.2', 'ghcr.io/example/eyrie'],
  ['localhost:5000/eyrie', 'localhost:5000/eyrie'],
  ['localhost:5000/eyrie:1@sha256:ab', 'localhost:5000/eyrie'],
  ['eyrie', 'eyrie'],
])('O1: the repository of %s is %s', (ref, repository) => {
  expect(bash('repository_of "$1"', [ref])).toBe(`${repository}\n`);
});

it('O1: what the audit log is told is valid JSON without credentials, whatever it is told', () => {
  const odd = 'a "quoted" \\ word\n\tand\u0001more postgres://user:secret@host/db';
  const line = bash('enter_environment "$1"; audit tried "what=$2"; cat "$STATE_DIR/audit.log"', [
    mkdtempSync(join(tmpdir(), 'eyrie-audit-')),
    odd,
  ]);
  expect(JSON.parse(line)).toMatchObject({
    event: 'tried',
    what: 'a "quoted" \\ word\n\tand more postgres://***@host/db',
  });
});
