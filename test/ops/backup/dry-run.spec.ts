import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GOLDEN = join(ROOT, 'test/ops/backup/golden');

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A script of deploy/scripts in an environment that has nothing but its .env; Docker is not on the PATH. */
function script(verb: string, ...args: string[]): Run {
  const environment = mkdtempSync(join(tmpdir(), 'eyrie-dry-'));
  try {
    writeFileSync(join(environment, '.env'), 'COMPOSE_PROJECT_NAME=eyrie\n');
    const command = join(ROOT, 'deploy/scripts', verb);
    const { status, stdout, stderr } = spawnSync(command, [...args, '--env', environment], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
      timeout: 20_000,
    });
    const anywhere = (text: string) =>
      text
        .replaceAll(environment, '/srv/eyrie')
        .replaceAll(ROOT, '/opt/eyrie/')
        .replace(/done in \d+ s/, 'done in 0 s');
    return { status, stdout: anywhere(stdout), stderr: anywhere(stderr) };
  } finally {
    rmSync(environment, { recursive: true });
  }
}

const CASES = {
  backup: ['backup'],
  'backup-base': ['backup', '--kind', 'base', '--full'],
  'backup-list': ['backup', '--list'],
  drill: ['drill'],
  'restore-into': ['restore', 'eyrie-20261114T021500Z', '--into', 'copy'],
  'restore-overwrite': ['restore', 'latest', '--overwrite'],
  'restore-file': ['restore', '/mnt/usb/eyrie-20261114T021500Z.dump.age', '--overwrite'],
  'restore-time-into': ['restore', '--time', '2026-01-14 09:41:07.25 UTC', '--into', 'look'],
  'restore-time-overwrite': ['restore', '--time', '2026-01-14T09:41:07+01:00', '--overwrite'],
  'restore-end-overwrite': ['restore', '--time', 'latest', '--overwrite'],
  'restore-drop-database': ['restore', '--drop', 'eyrie_before_20261114t021500'],
  'restore-drop-directory': ['restore', '--drop', 'before-20261114T021500Z'],
  'restore-drop-container': ['restore', '--drop', 'look'],
};

/** UPDATE_GOLDEN=1 writes them anew, to be read before they are committed. */
test.each(Object.entries(CASES))(
  'O4: %s --dry-run prints what it would run, and runs nothing',
  (name, [verb, ...args]) => {
    const { status, stdout, stderr } = script(verb!, ...args, '--dry-run');
    const file = join(GOLDEN, `${name}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, stdout);
    expect(stderr).toBe('');
    expect(stdout).toBe(readFileSync(file, 'utf8'));
    expect(status).toBe(0);
  },
);

test.each([
  [['restore'], /restore what/],
  [['restore', 'latest'], /refused: the live database is there/],
  [['restore', 'latest', '--into', 'copy', '--overwrite'], /either --into or --overwrite/],
  [['restore', 'latest', '--time', 'latest', '--overwrite'], /either a dump or --time/],
  [['restore', '--time', 'next year', '--overwrite'], /in the future/],
  [['restore', '--time', 'soon', '--overwrite'], /is no time/],
  [['restore', '--time', 'latest', '--into', 'Look Here'], /cannot be the name/],
  [['restore', '--drop', 'eyrie_before_1;DROP'], /has made no/],
  [['restore', 'latest', '--sideways'], /unknown option --sideways/],
  [['backup', '--kind', 'tape'], /wanted: dump or base/],
  [['backup', 'now'], /unknown argument now/],
  [['drill', 'now'], /unknown argument now/],
])('O4: %j is refused with one clear line', ([verb, ...args], reason) => {
  const { status, stderr } = script(verb!, ...args, '--dry-run');
  expect(stderr).toMatch(reason);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(status).toBe(2);
});

test.each(['backup', 'restore', 'drill'])('O4: %s --help is its manual', (verb) => {
  const { status, stdout } = script(verb, '--help');
  expect(stdout).toMatch(new RegExp(`^${verb} `));
  expect(stdout).toMatch(/--dry-run/);
  expect(status).toBe(0);
});
