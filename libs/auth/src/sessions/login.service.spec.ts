import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { hash } from '@node-rs/argon2';
import type { Database } from 'eyrie/database';
import { testDatabase } from '../../../../test/harness/postgres.js';
import { connection, type Connection } from '../../fixtures/connection.js';
import { AuthEvents } from '../auth-events.js';
import { Passwords, PasswordsBusyError } from '../users/passwords.js';
import { UsersService } from '../users/users.service.js';
import { LoginBackoff } from './login-backoff.js';
import { LoginService } from './login.service.js';
import { SessionsService } from './sessions.service.js';

let test: Connection;
let database: Database;
let users: UsersService;
let logins: LoginService;
const passwords = new Passwords();
const client = { address: '192.0.2.1', userAgent: 'spec' };
const [email, password] = ['ann@example.org', 'correct horse battery'];
const terminal = { name: 'terminal' };

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await connection(await testDatabase());
  ({ database } = test);
  users = new UsersService(database, passwords);
  logins = new LoginService(database, passwords, new LoginBackoff(database), new SessionsService(database, {}));
});
beforeEach(async () => {
  await database.query('TRUNCATE users, sessions, session_tokens, login_attempts, auth_events');
  await users.create({ email, role: 'admin', password }, terminal);
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => test?.close());

const log = (as: string, withPassword: string) => logins.login(as, withPassword, client);
const lastEvent = async () => (await new AuthEvents(database).page({ limit: 1 })).events[0];

describe('a login', () => {
  it('I1: brings tokens, and is recorded with its client', async () => {
    const result = await log('ANN@Example.org', password);
    expect(result).toMatchObject({ outcome: 'welcome', user: { kind: 'user', name: email, role: 'admin' } });
    expect(await lastEvent()).toMatchObject({
      ...{ type: 'login', actor: `user:${email}`, subject: email, address: '192.0.2.1', userAgent: 'spec' },
    });
  });

  it('I1: is refused alike for a wrong password, an unknown account and a disabled one', async () => {
    const results = [await log(email, 'wrong horse battery'), await log('nobody@example.org', password)];
    expect(await lastEvent()).toMatchObject({ type: 'login-failed', subject: null, data: { reason: 'unknown' } });
    await users.create({ email: 'boss@example.org', role: 'admin' }, terminal);
    await users.change(email, { disabled: true }, terminal);
    results.push(await log(email, password));
    expect(await lastEvent()).toMatchObject({ type: 'login-failed', subject: email, data: { reason: 'disabled' } });
    expect(results).toEqual(Array.from({ length: 3 }, () => ({ outcome: 'refused' })));
  });

  it('I1: takes as many statements for an unknown account as for a wrong password', async () => {
    const query = jest.spyOn(database, 'query');
    await log(email, 'wrong horse battery');
    const known = query.mock.calls.splice(0).map(([statement]) => statement);
    await log('nobody@example.org', 'wrong horse battery');
    expect(query.mock.calls.map(([statement]) => statement)).toEqual(known);
  });

  it('I1: waits after failures without a look at the password, also for the right one', async () => {
    for (let index = 0; index < 5; index++) expect(await log(email, 'wrong')).toEqual({ outcome: 'refused' });
    const verify = jest.spyOn(passwords, 'verify');
    expect(await log(email, password)).toMatchObject({ outcome: 'wait' });
    expect(verify).not.toHaveBeenCalled();
    await database.query('UPDATE login_attempts SET blocked_until = now()');
    expect(await log(email, password)).toMatchObject({ outcome: 'welcome' });
    expect(await database.query(`SELECT FROM login_attempts WHERE kind <> 'network'`)).toEqual([]);
  });

  it('I1: makes a hash anew whose parameters are outdated', async () => {
    await database.query('UPDATE users SET password_hash = $1', [await hash(password, { memoryCost: 8_192 })]);
    expect(await log(email, password)).toMatchObject({ outcome: 'welcome' });
    const [row] = await database.query<{ hash: string }>('SELECT password_hash AS hash FROM users');
    expect(row!.hash).toContain('m=19456,t=2,p=1');
    expect(await log(email, password)).toMatchObject({ outcome: 'welcome' });
  });

  it('I1: does not slip through with a password that is changed while it is checked', async () => {
    const verify = passwords.verify.bind(passwords);
    jest.spyOn(passwords, 'verify').mockImplementationOnce(async (...args) => {
      const isRight = await verify(...args);
      await users.resetPassword(email, 'another horse battery', terminal);
      return isRight;
    });
    expect(await log(email, password)).toEqual({ outcome: 'refused' });
    expect(await database.query('SELECT FROM sessions')).toEqual([]);
  });

  it('I1: is no failure when it could not be decided', async () => {
    jest.spyOn(passwords, 'verify').mockRejectedValue(new PasswordsBusyError('busy'));
    for (let index = 0; index < 10; index++) await expect(log(email, password)).rejects.toThrow('busy');
    jest.restoreAllMocks();
    expect(await log(email, password)).toMatchObject({ outcome: 'welcome' });
  });
});
