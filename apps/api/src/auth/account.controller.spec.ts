import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { AuthApp, email, operatorKey, password } from '../../fixtures/auth-app.js';

let test: TestDatabase;
let app: AuthApp;
const ask = (...what: Parameters<AuthApp['ask']>) => app.ask(...what);
const logIn = (as?: string) => app.logIn(as);

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await testDatabase();
  app = await AuthApp.start(test.url);
});
beforeEach(() => app.reset());
afterAll(async () => {
  await app?.close();
  await test?.drop();
});

describe('what is one’s own', () => {
  it('I1: is for people, not for keys', async () => {
    const { accessToken } = await logIn();
    expect(await ask('GET', '/api/auth/me', { as: accessToken })).toMatchObject({
      status: 200,
      json: { email, name: 'Ann', role: 'admin' },
    });
    expect((await ask('GET', '/api/auth/me', { as: operatorKey })).status).toBe(403);
    expect((await ask('GET', '/api/auth/me')).status).toBe(401);
  });

  it('I1: is a password that can be changed, which ends the other sessions', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    const change = (current: string, next: string) =>
      ask('POST', '/api/auth/password', { as: mine.accessToken, body: { current, new: next } });
    expect(await change('wrong', 'another horse battery')).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/current', detail: 'This is not your password' }] },
    });
    expect(await change(password, 'short')).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '', detail: 'a password has at least 15 characters' }] },
    });
    expect((await change(password, 'another horse battery')).status).toBe(204);
    expect((await ask('GET', '/api/auth/me', { as: mine.accessToken })).status).toBe(200);
    expect((await ask('GET', '/api/auth/me', { as: other.accessToken })).status).toBe(401);
    expect((await ask('POST', '/api/auth/login', { body: { email, password } })).status).toBe(401);
  });

  it('I1: is a list of sessions, each of which can be ended', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    const as = mine.accessToken;
    const { json } = await ask('GET', '/api/auth/sessions', { as, headers: { 'user-agent': 'spec' } });
    expect((json as { sessions: object[] }).sessions).toMatchObject([
      { id: other.user.sessionId, isThis: false, address: '127.0.0.1' },
      { id: mine.user.sessionId, isThis: true },
    ]);
    const end = () => ask('DELETE', `/api/auth/sessions/${other.user.sessionId}`, { as });
    expect([(await end()).status, (await end()).status]).toEqual([204, 404]);
    expect((await ask('GET', '/api/auth/me', { as: other.accessToken })).status).toBe(401);
  });
});
