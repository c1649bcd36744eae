import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from 'eyrie/database';
import { testDatabase } from '../../../../test/harness/postgres.js';
import { connection, type Connection } from '../../fixtures/connection.js';
import { AccessError } from '../access-error.js';
import { AuthEvents } from '../auth-events.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { Passwords } from './passwords.js';
import { UsersService } from './users.service.js';

let test: Connection;
let database: Database;
let users: UsersService;
const by = { name: 'user:boss@example.org', client: { address: '192.0.2.1', userAgent: 'spec' } };
const [password, next] = ['correct horse battery', 'another horse battery'];

beforeAll(async () => {
  test = await connection(await testDatabase());
  ({ database } = test);
  users = new UsersService(database, new Passwords());
});
beforeEach(() => database.query('TRUNCATE users, sessions, session_tokens, auth_events'));
afterAll(() => test?.close());

const ann = (role: 'viewer' | 'responder' | 'admin' = 'admin') =>
  users.create({ email: 'Ann@Example.org', name: 'Ann', role, password }, by);
const events = async () =>
  (await new AuthEvents(database).page({ limit: 100 })).events.map(({ type, subject, data }) => ({
    type,
    subject,
    data,
  }));

describe('a user', () => {
  it('I1: is stored without the password', async () => {
    const created = await ann();
    expect(created).toMatchObject({ email: 'ann@example.org', name: 'Ann', role: 'admin', disabledAt: null });
    expect(created.password).toBeUndefined();
    const [row] = await database.query<{ text: string; hash: string }>(
      'SELECT u::text AS text, password_hash AS hash FROM users u',
    );
    expect(row!.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(row!.text).not.toContain(password);
    expect(JSON.stringify(await users.list())).not.toContain('argon2');
    expect(await events()).toEqual([{ type: 'user-created', subject: 'ann@example.org', data: { role: 'admin' } }]);
  });

  it('I1: is one, however the address is written, and however many add it at once', async () => {
    const results = await Promise.allSettled(
      ['ann@example.org', 'ANN@example.org', ' Ann@Example.Org '].map((email) =>
        users.create({ email, role: 'viewer' }, by),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const faults = results.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(faults.every((fault) => fault instanceof AccessError && fault.fault === 'taken')).toBe(true);
    expect(await users.find('aNN@example.org')).toMatchObject({ email: 'ann@example.org' });
  });

  it('I1: is given a password that is told once, unless there is one', async () => {
    const { password: generated } = await users.create({ email: 'bob@example.org', role: 'viewer' }, by);
    expect(generated).toMatch(/^[\w-]{20}$/);
    expect(JSON.stringify([await users.list(), await events()])).not.toContain(generated);
  });

  it.each([
    ['no address', { email: 'ann' }],
    ['an address too long', { email: `${'a'.repeat(250)}@b.org` }],
    ['a name that garbles a terminal', { name: 'Ann\u001b[2J' }],
    ['a blank name', { name: ' ' }],
    ['a short password', { password: 'short' }],
  ])('I1: is refused with %s', async (_title, wrong) => {
    const user = { email: 'ann@example.org', name: 'Ann', role: 'viewer' as const, password, ...wrong };
    await expect(users.create(user, by)).rejects.toMatchObject({ fault: 'invalid' });
    expect(await users.list()).toEqual([]);
  });
});

describe('a change of a user', () => {
  it('I1: is recorded with who made it, from where, and what it was before', async () => {
    const { id } = await ann();
    await users.create({ email: 'boss@example.org', role: 'admin' }, by);
    expect(await users.change(id, { role: 'viewer', name: 'Anna' }, by)).toMatchObject({
      role: 'viewer',
      name: 'Anna',
    });
    await users.change('ANN@example.org', { disabled: true }, by);
    await users.change(id, { disabled: true }, by);
    await users.change(id, { disabled: false }, by);
    expect((await events()).slice(0, 3)).toEqual([
      { type: 'user-enabled', subject: 'ann@example.org', data: null },
      { type: 'user-disabled', subject: 'ann@example.org', data: null },
      {
        type: 'user-changed',
        subject: 'ann@example.org',
        data: { name: { from: 'Ann', to: 'Anna' }, role: { from: 'admin', to: 'viewer' } },
      },
    ]);
    const { events: all } = await new AuthEvents(database).page({ limit: 1 });
    expect(all[0]).toMatchObject({ actor: by.name, address: '192.0.2.1', userAgent: 'spec' });
  });

  it('I1: never takes the last administrator away, though two ask at once', async () => {
    const [one, other] = [await ann(), await users.create({ email: 'bob@example.org', role: 'admin' }, by)];
    const results = await Promise.allSettled([
      users.change(one.id, { disabled: true }, by),
      users.change(other.id, { role: 'viewer' }, by),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const left = (await users.list()).filter(({ role, disabledAt }) => role === 'admin' && !disabledAt);
    expect(left).toHaveLength(1);
    await expect(users.change(left[0]!.id, { disabled: true }, by)).rejects.toMatchObject({ fault: 'refused' });
    expect((await users.find(left[0]!.id))?.disabledAt).toBeNull();
  });

  it('I1: needs somebody to change', async () => {
    await expect(users.change('nobody@example.org', { name: 'x' }, by)).rejects.toMatchObject({ fault: 'missing' });
    await expect(users.resetPassword('nobody@example.org', next, by)).rejects.toMatchObject({ fault: 'missing' });
  });
});

describe('a change of password', () => {
  it('I1: wants the old one, and ends the other sessions', async () => {
    const { id } = await ann();
    const sessions = new SessionsService(database, {});
    const client = { address: '192.0.2.1', userAgent: '' };
    const [mine, other] = await database.transaction(async (tx) => [
      await sessions.open(tx, id, client),
      await sessions.open(tx, id, client),
    ]);
    const me = { id, sessionId: mine.sessionId };
    expect(await users.changePassword(me, { current: 'wrong', next }, by)).toBe(false);
    await expect(users.changePassword(me, { current: password, next: 'short' }, by)).rejects.toThrow('at least 15');
    await expect(users.changePassword(me, { current: password, next: password }, by)).rejects.toThrow('that you have');
    expect(await users.changePassword(me, { current: password, next }, by)).toBe(true);
    expect(await sessions.verify(mine.accessToken)).toBeDefined();
    expect(await sessions.verify(other.accessToken)).toBeUndefined();
    expect((await sessions.refresh(other.refreshToken, client)).outcome).toBe('ended');
    expect(await users.changePassword(me, { current: password, next }, by)).toBe(false);
  });

  it('I1: by an administrator ends all sessions', async () => {
    const { id } = await ann();
    const sessions = new SessionsService(database, {});
    const client = { address: '192.0.2.1', userAgent: '' };
    const opened = await database.transaction((tx) => sessions.open(tx, id, client));
    expect((await users.resetPassword(id, undefined, by)).password).toMatch(/^[\w-]{20}$/);
    expect(await sessions.verify(opened.accessToken)).toBeUndefined();
    expect((await events())[0]).toMatchObject({ type: 'password-reset' });
  });
});
