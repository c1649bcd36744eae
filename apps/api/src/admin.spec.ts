import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { eventually } from '../../../test/harness/eventually.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { Logger } from '@nestjs/common';
import { AuthApp } from '../fixtures/auth-app.js';

const program = fileURLToPath(new URL('admin.ts', import.meta.url));
const hooks = fileURLToPath(new URL('../../../libs/lifecycle/fixtures/typescript.mjs', import.meta.url));
const password = 'piped horse battery';

let test: TestDatabase;
let app: AuthApp;
beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await testDatabase();
  app = await AuthApp.start(test.url);
});
afterAll(async () => {
  await app?.close();
  await test?.drop();
});

/** Runs the program as `npm run admin` does. */
async function admin(argv: string[], input = '') {
  const env = { ...process.env, ENVIRONMENT: 'test', DATABASE_URL: test.url };
  const child = spawn(process.execPath, ['--no-warnings', '--conditions=source', '--import', hooks, program, ...argv], {
    env,
  });
  child.stdin.end(input);
  const exit = once(child, 'exit') as Promise<[number]>;
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { status, stdout, stderr };
}

const logIn = (withPassword: string) =>
  app.ask('POST', '/api/auth/login', { body: { email: 'first@example.org', password: withPassword } });

describe('npm run admin', () => {
  it('I1: makes the first administrator, lets in who is locked out, and shuts out who leaves', async () => {
    const created = await admin(['create', '--email', 'first@example.org', '--password-stdin'], `${password}\n`);
    expect(created).toEqual({ status: 0, stdout: 'first@example.org may log in now, as admin.\n', stderr: '' });
    const login = await logIn(password);
    expect(login).toMatchObject({ status: 200, json: { user: { role: 'admin' } } });
    const { accessToken: as } = login.json as { accessToken: string };
    expect((await app.ask('GET', '/api/auth/me', { as })).status).toBe(200);

    const again = await admin(['create', '--email', 'FIRST@example.org', '--generate']);
    expect(again).toEqual({ status: 1, stdout: '', stderr: 'there is a user first@example.org already\n' });

    const reset = await admin(['reset-password', 'first@example.org', '--generate']);
    expect(reset.status).toBe(0);
    expect((await logIn(password)).status).toBe(401);
    expect((await logIn(reset.stdout.split('\n', 1)[0]!)).status).toBe(200);
    // The other process has told this one.
    await eventually(async () => (await app.ask('GET', '/api/auth/me', { as })).status === 401, 2_000);

    expect((await admin(['disable', 'first@example.org'])).stderr).toMatch(/last administrator/);
    expect((await admin(['unlock', 'first@example.org'])).status).toBe(0);
    const { stdout } = await admin(['list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([{ email: 'first@example.org', role: 'admin', disabledAt: null }]);
  }, 60_000);
});
