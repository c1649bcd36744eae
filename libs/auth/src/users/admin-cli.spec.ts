import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { AccessError } from '../access-error.js';
import { adminCli, type AdminTools } from './admin-cli.js';
import type { User } from './user.js';

const ann: User = {
  id: '0198c1a2-0000-7000-8000-000000000001',
  ...{ email: 'ann@example.org', name: 'Ann', role: 'admin' as const, disabledAt: null },
  createdAt: new Date('2026-11-22T16:00:00Z'),
  updatedAt: new Date('2026-11-22T16:00:00Z'),
  passwordChangedAt: new Date('2026-11-23T16:00:00Z'),
};

/** Runs a command, with what is typed or piped, and gives what it said and did. */
async function run(line: string, { typed, isTTY = false }: { typed?: string | string[]; isTTY?: boolean } = {}) {
  const said = { stdout: '', stderr: '' };
  const calls: unknown[] = [];
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  stdin.isTTY = isTTY;
  const [first, ...others] = [typed ?? []].flat();
  if (first !== undefined) stdin.write(first);
  const note = <T>(what: string, result: T) => {
    return (...[...args]: unknown[]) => {
      calls.push([what, ...args.slice(0, -1)]);
      return args[0] === 'nobody@example.org'
        ? Promise.reject(new AccessError('missing', 'there is no user nobody@example.org'))
        : Promise.resolve(result);
    };
  };
  const tools: AdminTools = {
    users: {
      create: (user, by) =>
        note('create', { ...ann, ...(user.password === undefined && { password: 'generated-password' }) })(user, by),
      list: () => Promise.resolve([ann]),
      resetPassword: (who, password, by) =>
        note('reset', password === undefined ? { password: 'generated-password' } : {})(who, password, by),
      change: (who, changes, by) => note('change', ann)(who, changes, by),
    },
    unlock: (email) => note('unlock', undefined)(email, undefined),
  };
  const status = await adminCli(tools, line.split(' ').filter(Boolean), {
    stdin,
    stdout: { write: (text) => (said.stdout += text) },
    stderr: {
      write: (text) => {
        said.stderr += text;
        // The next answer is typed when the next question stands there.
        if (text.startsWith('Once more')) setImmediate(() => stdin.write(others[0] ?? ''));
      },
    },
  });
  return { status, calls, ...said };
}

const create = 'create --email ann@example.org';

describe('npm run admin', () => {
  it('I1: create asks twice for a password and shows none', async () => {
    const { status, calls, stdout, stderr } = await run(`${create} --name Ann`, {
      typed: ['correct horse battery\r', 'correct horse battery\r'],
      isTTY: true,
    });
    expect([status, stderr]).toEqual([0, 'New password: \nOnce more: \n']);
    const user = { email: 'ann@example.org', name: 'Ann', role: 'admin', password: 'correct horse battery' };
    expect(calls).toEqual([['create', user]]);
    expect(stdout).toBe('ann@example.org may log in now, as admin.\n');
  });

  it('I1: create wants the same password twice', async () => {
    const answer = await run(create, { typed: ['correct horse battery\r', 'correct horse batteri\r'], isTTY: true });
    expect(answer).toMatchObject({ status: 1, calls: [], stdout: '' });
    expect(answer.stderr).toContain('not the same');
  });

  it('I1: create takes the first line of its input', async () => {
    const { calls } = await run(`${create} --role viewer --password-stdin`, { typed: 'piped horse battery\nmore\n' });
    expect(calls).toEqual([['create', expect.objectContaining({ password: 'piped horse battery', role: 'viewer' })]]);
  });

  it('I1: create shows a generated password once', async () => {
    const { stdout, calls } = await run(`${create} --generate`);
    expect(calls).toEqual([['create', expect.objectContaining({ password: undefined })]]);
    expect(stdout).toMatch(/^generated-password\n/);
    expect(stdout).toContain('will not be shown again');
  });

  it('I1: create without a terminal says how to give a password', async () => {
    expect(await run(create)).toMatchObject({
      status: 1,
      calls: [],
      stderr: expect.stringContaining('--password-stdin') as unknown,
    });
  });

  it('I1: reset-password, disable, enable and unlock do what they say', async () => {
    expect((await run('reset-password ann@example.org --generate')).stdout).toMatch(
      /^generated-password\n.*logged out/s,
    );
    expect((await run('disable ann@example.org')).calls).toEqual([['change', 'ann@example.org', { disabled: true }]]);
    expect((await run('enable ann@example.org')).calls).toEqual([['change', 'ann@example.org', { disabled: false }]]);
    expect((await run('unlock ann@example.org')).calls).toEqual([['unlock', 'ann@example.org']]);
    const failed = await run('disable nobody@example.org');
    expect(failed).toMatchObject({ status: 1, stdout: '', stderr: 'there is no user nobody@example.org\n' });
  });

  it('I1: list shows who may log in', async () => {
    expect((await run('list')).stdout).toBe(
      [
        'EMAIL            NAME  ROLE   CREATED           PASSWORD CHANGED  DISABLED',
        'ann@example.org  Ann   admin  2026-11-22 16:00  2026-11-23 16:00  -',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('list --json')).stdout)).toHaveLength(1);
  });

  it.each([
    '',
    'destroy',
    'create',
    'create ann@example.org',
    `${create} correct-horse-battery`,
    `${create} --role root`,
    `${create} --password secret`,
    `${create} --generate --password-stdin`,
    'reset-password',
    'reset-password ann@example.org secret-password',
    'disable ann@example.org --generate',
    'list all',
    'list --email a@b',
  ])('O4: %j is answered with the usage and status 64', async (line) => {
    const { status, stdout, stderr, calls } = await run(line);
    expect([status, stdout, calls]).toEqual([64, '', []]);
    expect(stderr).toContain('Usage:');
  });

  it('O4: --help is no fault', async () => {
    expect(await run('create --help')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('Usage:') as unknown,
    });
  });
});
