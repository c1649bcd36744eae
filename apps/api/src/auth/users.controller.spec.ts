import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { AuthApp, email, operatorKey, type Tokens } from '../../fixtures/auth-app.js';

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

describe('/api/v1/users', () => {
  it('I1: adds, lists, changes and disables people, and records who did it', async () => {
    const { accessToken: as } = await logIn();
    const added = await ask('POST', '/api/v1/users', { as, body: { email: 'bob@example.org', role: 'viewer' } });
    expect(added).toMatchObject({ status: 201, json: { email: 'bob@example.org', name: 'bob@example.org' } });
    const { id, password: generated } = added.json as { id: string; password: string };
    const login = await ask('POST', '/api/auth/login', { body: { email: 'bob@example.org', password: generated } });
    const bob = (login.json as Tokens).accessToken;
    expect((await ask('GET', '/api/v1/users', { as: bob })).status).toBe(403);
    expect((await ask('PATCH', `/api/v1/users/${id}`, { as, body: { role: 'admin' } })).status).toBe(200);
    expect(await ask('GET', '/api/v1/users', { as: bob })).toMatchObject({
      status: 200,
      json: { users: [{ email }, { email: 'bob@example.org', role: 'admin' }] },
    });
    const reset = await ask('POST', `/api/v1/users/${id}/password-reset`, { as });
    expect(reset).toMatchObject({ status: 200, json: { password: expect.stringMatching(/^.{20}$/) as unknown } });
    expect((await ask('GET', '/api/v1/users', { as: bob })).status).toBe(401);
    expect((await ask('PATCH', `/api/v1/users/${id}`, { as, body: { disabled: true } })).status).toBe(200);

    const { json } = await ask('GET', '/api/v1/auth-events?limit=3', { as: operatorKey });
    const page = json as { events: object[]; next: string };
    expect(page.events).toMatchObject(
      ['user-disabled', 'password-reset', 'user-changed'].map((type) => ({
        ...{ type, actor: `user:${email}`, subject: 'bob@example.org', address: '127.0.0.1' },
      })),
    );
    const rest = await ask('GET', `/api/v1/auth-events?cursor=${page.next}&type=login`, { as: operatorKey });
    expect((rest.json as { events: object[] }).events).toHaveLength(2);
  });

  it.each([
    ['POST', '/api/v1/users', { email, role: 'viewer' }, 409],
    ['POST', '/api/v1/users', { email: 'bob', role: 'viewer' }, 400],
    ['POST', '/api/v1/users', { email: 'bob@example.org', role: 'root' }, 400],
    ['POST', '/api/v1/users', { email: 'bob@example.org', role: 'viewer', password: 'short' }, 400],
    ['PATCH', '/api/v1/users/0198c1a2-0000-7000-8000-000000000001', { name: 'x' }, 404],
    ['PATCH', '/api/v1/users/me', { name: 'x' }, 400],
    ['POST', '/api/v1/users/0198c1a2-0000-7000-8000-000000000001/password-reset', undefined, 404],
  ] as const)('I1: %s %s %j is answered with %d', async (method, url, body, status) => {
    expect((await ask(method, url, { as: operatorKey, ...(body && { body }) })).status).toBe(status);
  });

  it('I1: keeps the last administrator', async () => {
    const { accessToken: as, user } = await logIn();
    const answer = await ask('PATCH', `/api/v1/users/${user.id}`, { as, body: { disabled: true } });
    expect(answer).toMatchObject({ status: 409, json: { detail: expect.stringContaining('last') as unknown } });
    expect((await ask('GET', '/api/auth/me', { as })).status).toBe(200);
  });
});
