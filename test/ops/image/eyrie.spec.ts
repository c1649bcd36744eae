import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../../..');
const eyrie = join(root, 'deploy/image/eyrie');

/** A `node` that only says what it was given. */
const bin = mkdtempSync(join(tmpdir(), 'eyrie-bin-'));
writeFileSync(join(bin, 'node'), '#!/bin/sh\necho "node $*"\n');
chmodSync(join(bin, 'node'), 0o755);
afterAll(() => rmSync(bin, { recursive: true }));

function run(args: string[], env: Record<string, string> = {}): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync('sh', [eyrie, ...args], {
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env.PATH}`, ...env },
  });
  return { status, stdout: stdout.trim() };
}

describe("the image's command", () => {
  it.each([
    [[], 'bundle/api.js'],
    [['api'], 'bundle/api.js'],
    [['worker'], 'bundle/worker.js'],
    [['migrate'], 'apps/api/src/migrate.js'],
    [['admin', 'create', '--email', 'ann@example.org'], 'apps/api/src/admin.js create --email ann@example.org'],
    [['keys', 'list'], 'apps/api/src/keys.js list'],
    [['secrets', 'key'], 'apps/api/src/secrets.js key'],
    [['check-config', 'a file'], 'apps/api/src/check-config.js a file'],
    [['config', '--json'], 'apps/local/src/config.js --json'],
  ])('K1: eyrie %j runs %s, which there is', (args, program) => {
    expect(run(args)).toEqual({ status: 0, stdout: `node /app/dist/${program}` });
    const source = program
      .split(' ')[0]!
      .replace(/^bundle.(.+)\.js$/, 'apps/$1/src/main.js')
      .replace(/js$/, 'ts');
    expect(existsSync(join(root, source))).toBe(true);
  });

  it('K1: asks the health of the app where it listens', () => {
    const asked = (args: string[], env?: Record<string, string>) => run(['healthcheck', ...args], env).stdout;
    const probe = 'node /app/dist/libs/health/src/probe.js http://127.0.0.1';
    expect(asked(['api'])).toBe(`${probe}:3000/health/ready`);
    expect(asked(['worker'])).toBe(`${probe}:3001/health/ready`);
    expect(asked(['api'], { PORT: '8000' })).toBe(`${probe}:8000/health/ready`);
    expect(asked(['worker'], { PORT: '8000', WORKER_PORT: '8001' })).toBe(`${probe}:8001/health/ready`);
    expect(existsSync(join(root, 'libs/health/src/probe.ts'))).toBe(true);
  });

  it('K1: runs anything else as it stands, with its status', () => {
    expect(run(['sh', '-c', 'echo "$1"; exit 3', '-', 'two words'])).toEqual({ status: 3, stdout: 'two words' });
    expect(run(['nonesuch-program']).status).toBe(127);
  });

  it('K1: explains each of its commands', () => {
    const { status, stdout } = run(['--help']);
    const explained = [...stdout.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
    const all = [
      'api',
      'worker',
      'migrate',
      'admin',
      'keys',
      'secrets',
      'check-config',
      'config',
      'healthcheck',
      'version',
    ];
    expect({ status, explained }).toEqual({ status: 0, explained: all });
  });
});
