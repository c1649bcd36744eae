/**
 * What each verb would do, to the letter, and without Docker. After a change on purpose run it with UPDATE_GOLDEN=1, and read
 * the difference.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Sandbox } from './sandbox.js';

const GOLDEN = fileURLToPath(new URL('golden/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
const candidate = ['--image', 'ghcr.io/example/eyrie:1.4.0'];
const history = [1, 2]
  .map((n) => `2026-01-0${n}T00:00:00Z eyrie:shop-${n} sha256:${n} rolling good eyrie:${n}\n`)
  .join('');

interface DryRun {
  command: [string, ...string[]];
  env?: string;
  files?: Record<string, string>;
}

const runs: Record<string, DryRun> = {
  'deploy-rolling': { command: ['deploy', ...candidate] },
  'deploy-blue-green': { command: ['deploy', ...candidate, '--strategy', 'blue-green'] },
  'deploy-canary': { command: ['deploy', ...candidate, '--strategy', 'canary', '--weight', '5', '--steps', '50,25'] },
  'deploy-green-is-active': {
    command: ['deploy', ...candidate, '--strategy', 'blue-green', '--skip-backup'],
    env: 'GREEN_IMAGE=eyrie:shop-2\nGREEN_REPLICAS=2\nBLUE_REPLICAS=2\n',
    files: { '.state/traffic': 'blue=0 green=100\n' },
  },
  rollback: { command: ['rollback'], env: 'BLUE_IMAGE=eyrie:shop-2\n', files: { '.state/releases': history } },
  migrate: { command: ['migrate', '--image', 'eyrie:2', '--timeout', '5m'] },
  'prune-idle': { command: ['prune', '--idle', '--keep', '1'], files: { '.state/releases': history } },
};

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.open();
});
afterAll(() => sandbox.close());

it.each(Object.entries(runs))('O4: %s --dry-run prints every step, and needs no Docker', async (name, run) => {
  const before = sandbox.read('.env');
  sandbox.write('.env', `${before}${run.env ?? ''}`);
  sandbox.furnishState(run.files ?? {});

  const { status, stdout, stderr } = await sandbox.run(...run.command, '--dry-run');

  const after = sandbox.read('.env');
  sandbox.write('.env', before);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(sandbox.calls).toEqual([]);
  expect(after).toBe(`${before}${run.env ?? ''}`);
  const printed = stdout
    .replaceAll(sandbox.directory, 'ENVIRONMENT')
    .replaceAll(basename(sandbox.directory), 'ENVIRONMENT')
    .replaceAll(ROOT, 'ROOT');
  const file = join(GOLDEN, `${name}.txt`);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, printed);
  expect(printed).toBe(readFileSync(file, 'utf8'));
});

it('O4: what is missing is told by --dry-run, which goes on nevertheless', async () => {
  const before = sandbox.read('secrets/operator_key');
  sandbox.write('secrets/operator_key', '');
  const { status, stdout, stderr } = await sandbox.run('deploy', ...candidate, '--dry-run');
  sandbox.write('secrets/operator_key', before);
  expect(status).toBe(0);
  expect(stderr).toContain('missing or empty: secrets/operator_key');
  expect(stdout).toContain('a real run would end here with status 78');
});
