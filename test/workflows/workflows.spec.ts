import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from '@actions/languageservice';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { faultsOf } from './workflows.js';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
const exists = (path: string) => existsSync(join(root, path));
const ours = (text: string) => faultsOf(text, exists);

/** So that a reusable workflow is known by its inputs and outputs. */
const fileProvider = {
  getFileContent: (reference: { path: string }) =>
    Promise.resolve({ name: reference.path, content: read(reference.path) }),
};
let texts = 0; // the service remembers a text by its name

/** What GitHub itself would say of a workflow. */
async function githubs(path: string, text: string): Promise<string[]> {
  const document = TextDocument.create(`file:///${++texts}/${path}`, 'yaml', 1, text);
  const found = await validate(document, { fileProvider });
  return found.map(({ range, message }) => `${path}:${range.start.line + 1}: ${JSON.stringify(message)}`);
}

describe('workflows', () => {
  it.each(workflows)('N1: %s is what GitHub takes', async (path) => {
    expect(await githubs(path, read(path))).toEqual([]);
  });

  it.each(workflows)('N1: %s is pinned, limited, and trusts no text of strangers', (path) => {
    expect(ours(read(path))).toEqual([]);
  });

  it.each([
    ['runs-on: ubuntu-24.04', 'runs-onn: ubuntu-24.04', /runs-onn/],
    ['github.ref', 'github.reff', /reff/],
  ])('N1: GitHub would refuse %s as %s', async (right, wrong, fault) => {
    const text = read('.github/workflows/ci.yml').replace(right, wrong);
    expect((await githubs('ci.yml', text)).join('\n')).toMatch(fault);
  });

  it.each([
    [/@[0-9a-f]{40} # v6\.0\.2/, '@v6', /is not pinned/],
    [' # v6.0.2', '', /does not say its version/],
    ['contents: read', 'contents: write', /permissions/],
    ['timeout-minutes: 15', 'if: true', /no time limit/],
    [/concurrency:\n.*\n.*\n/, '', /no concurrency/],
    ['pull_request:', 'pull_request_target:', /strangers/],
    ['with: { persist-credentials: false }', 'with: {}', /token/],
    ['run: .ci/run install check', 'run: echo "${{ github.event.head_commit.message }}"', /pasted/],
    ['run: .ci/run install check', 'run: deploy/scripts/depoly', /depoly does not exist/],
  ])('N1: finds the fault where %s becomes %s', (right, wrong, fault) => {
    const text = read('.github/workflows/ci.yml');
    const spoilt = text.replace(right, wrong);
    expect(spoilt).not.toBe(text);
    expect(ours(spoilt).join('\n')).toMatch(fault);
  });

  it('N1: production comes from main, staging from develop, each in its own environment', () => {
    for (const [name, branch] of [
      ['production', 'main'],
      ['staging', 'develop'],
    ]) {
      const workflow = parse(read(`.github/workflows/deploy-${name}.yml`)) as {
        on: { push: { branches: string[] } };
        jobs: { deploy: { with: { environment: string } } };
      };
      expect(workflow.on.push.branches).toEqual([branch]);
      expect(workflow.jobs.deploy.with.environment).toBe(name);
    }
  });

  it('N1: every flag that a deploy is given is one that its help names', () => {
    const text = read('.github/workflows/deploy.yml') + read('.github/workflows/nightly.yml');
    const calls = [...text.matchAll(/scripts\/on-host (\w+)(.*)$/gm)];
    expect(calls.map(([, verb]) => verb)).toEqual(['deploy', 'rollback', 'drill']);
    for (const [, verb, rest] of calls) {
      const { stdout, status } = spawnSync(join(root, 'deploy/scripts', verb!), ['--help'], { encoding: 'utf8' });
      expect(status).toBe(0);
      for (const [flag] of rest!.matchAll(/--[a-z-]+/g)) expect(stdout).toContain(flag);
    }
  });

  it('N1: Dependabot watches every kind of dependency there is', () => {
    const { updates } = parse(read('.github/dependabot.yml')) as { updates: Record<string, unknown>[] };
    const kinds = updates.map((each) => each['package-ecosystem']);
    expect(kinds).toEqual(['npm', 'docker', 'docker-compose', 'github-actions']);
    for (const directory of updates.flatMap((each) => (each.directories ?? []) as string[]))
      expect([directory, exists(directory.slice(1) || '.')]).toEqual([directory, true]);
  });
});

describe('scripts of workflows', () => {
  const run = (name: string, args: string[], env: Record<string, string>) =>
    spawnSync(join(root, '.github/scripts', name), args, {
      encoding: 'utf8',
      cwd: root,
      env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    });

  it('N1: on-host quotes every word for the shell of the host', () => {
    const bin = join(import.meta.dirname, 'fixtures');
    const { stdout } = run('on-host', ['deploy', '--image', 'a; rm -rf /'], {
      PATH: `${bin}:${process.env.PATH}`,
      HOST: 'eyrie@host.example',
      DIRECTORY: '/srv/my eyrie',
      REVISION: 'abc',
    });
    expect(stdout).toContain('-o StrictHostKeyChecking=yes');
    expect(stdout).toContain('-- eyrie@host.example');
    expect(stdout).toContain(String.raw`cd /srv/my\ eyrie && git fetch --quiet origin abc && git checkout`);
    expect(stdout).toContain(String.raw`deploy/scripts/deploy --image a\;\ rm\ -rf\ /`);
  });

  it('N1: release-notes prints the section of a version, and fails without one', () => {
    expect(run('release-notes', ['Unreleased'], {})).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/### Added/),
    });
    expect(run('release-notes', ['99.0.0'], {})).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/99\.0\.0/),
    });
  });
});
