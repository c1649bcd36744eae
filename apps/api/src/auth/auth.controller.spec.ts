import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { type Answer, AuthApp, email, operatorKey, password, type Tokens } from '../../fixtures/auth-app.js';

let test: TestDatabase;
let app: AuthApp;
const ask = (...what: Parameters<AuthApp['ask']>) => app.ask(...what);
const logIn = (as?: string) => app.logIn(as);
const cookieOf = ({ headers }: Answer) => String(headers['set-cookie']).split(';')[0]!;

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

describe('POST /api/auth/login', () => {
  it('I1: brings a pair of tokens that nobody on the way keeps', async () => {
    const answer = await ask('POST', '/api/auth/login', { body: { email: 'ANN@example.org', password } });
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(answer.json).toEqual({
      accessToken: expect.stringMatching(/^eya_/) as unknown,
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^eyf_/) as unknown,
      refreshExpiresIn: 604_800,
      user: {
        ...{ id: expect.any(String) as unknown, email, name: 'Ann', role: 'admin' },
        scopes: ['ingest', 'read', 'respond', 'manage'],
        sessionId: expect.any(String) as unknown,
      },
    });
  });

  it('I1: gives the same answer to a wrong password and to an unknown account', async () => {
    const answers = await Promise.all(
      [email, 'nobody@example.org'].map((as) =>
        ask('POST', '/api/auth/login', { body: { email: as, password: 'wrong' } }),
      ),
    );
    const [one, other] = answers.map(({ status, json }) => ({ status, json: { ...(json as object), instance: '' } }));
    expect(one).toEqual(other);
    expect(one).toMatchObject({ status: 401, json: { type: 'urn:eyrie:problem:login-failed' } });
  });

  it('I1: answers 429 after failures, and says for how long', async () => {
    const wrong = () => ask('POST', '/api/auth/login', { body: { email, password: 'wrong' } });
    for (let index = 0; index < 7; index++) {
      await wrong();
      await app.database.query('UPDATE login_attempts SET blocked_until = now()');
    }
    await wrong();
    const answer = await ask('POST', '/api/auth/login', { body: { email, password } });
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '8' } });
  });

  it.each([
    [{}],
    [{ email, password, admin: true }],
    [{ email: '', password }],
    [{ email: 'a\u0000b@example.org', password }],
    [{ email, password: 'x'.repeat(201) }],
    [{ email: [email], password }],
  ])('I1: answers 400 to %j', async (body) => {
    expect((await ask('POST', '/api/auth/login', { body })).status).toBe(400);
  });
});

describe('an access token', () => {
  it.each([
    ['viewer', [200, 403, 403]],
    ['responder', [200, 201, 403]],
    ['admin', [200, 201, 201]],
  ] as const)('I1: of a %s opens what the role opens', async (role, wanted) => {
    await app.users.create({ email: 'bob@example.org', role, password }, { name: 'spec' });
    const { accessToken: as, user } = await logIn('bob@example.org');
    const statuses = [
      (await ask('GET', '/probe/read', { as })).status,
      (await ask('POST', '/probe/respond', { as })).status,
      (await ask('POST', '/probe/ingest', { as })).status,
    ];
    expect(statuses).toEqual(wanted);
    const { json } = await ask('GET', '/probe/read', { as });
    expect(json).toMatchObject({
      caller: { kind: 'user', id: user.id, name: 'bob@example.org', role },
      userId: `user:${user.id}`,
    });
  });

  it('I1: that is unknown or over is answered with 401, and a refresh token is none', async () => {
    const { accessToken, refreshToken } = await logIn();
    expect((await ask('POST', '/api/auth/logout', { as: accessToken })).status).toBe(204);
    for (const as of [accessToken, refreshToken, 'eya_unknown', `eya_${'x'.repeat(5_000)}`]) {
      const answer = await ask('GET', '/probe/read', { as });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    }
  });
});

describe('POST /api/auth/refresh', () => {
  it('I1: brings the next pair; a token that comes back ends the session', async () => {
    const first = await logIn();
    const refresh = (refreshToken: string) => ask('POST', '/api/auth/refresh', { body: { refreshToken } });
    const second = await refresh(first.refreshToken);
    expect(second).toMatchObject({ status: 200, json: { user: { email, name: 'Ann' } } });
    const third = await refresh((second.json as Tokens).refreshToken);
    expect(await refresh(first.refreshToken)).toMatchObject({
      status: 401,
      json: { type: 'urn:eyrie:problem:session-ended' },
    });
    expect((await ask('GET', '/probe/read', { as: (third.json as Tokens).accessToken })).status).toBe(401);
    expect((await refresh((third.json as Tokens).refreshToken)).status).toBe(401);
  });

  it('I1: works from a cookie that no script can read', async () => {
    const login = await ask('POST', '/api/auth/login', { body: { email, password, cookie: true } });
    expect(login.json).not.toHaveProperty('refreshToken');
    expect(login.headers['set-cookie']).toMatch(
      /^eyrie_refresh=eyf_[\w-]{43}; Max-Age=\d{6}; Path=\/api\/auth; HttpOnly; SameSite=Strict$/,
    );
    const renewed = await ask('POST', '/api/auth/refresh', { headers: { cookie: cookieOf(login) } });
    expect(renewed.status).toBe(200);
    expect(renewed.json).not.toHaveProperty('refreshToken');
    expect(cookieOf(renewed)).not.toBe(cookieOf(login));
    const foreign = { cookie: cookieOf(renewed), 'sec-fetch-site': 'same-site' };
    expect((await ask('POST', '/api/auth/refresh', { headers: foreign })).status).toBe(401);
    const out = await ask('POST', '/api/auth/logout', { headers: { cookie: cookieOf(renewed) } });
    expect([out.status, out.headers['set-cookie']]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    const over = await ask('POST', '/api/auth/refresh', { headers: { cookie: cookieOf(renewed) } });
    expect([over.status, over.headers['set-cookie']]).toEqual([401, expect.stringContaining('Max-Age=0')]);
  });

  it('I1: needs a token', async () => {
    expect((await ask('POST', '/api/auth/refresh')).status).toBe(401);
    expect((await ask('POST', '/api/auth/refresh', { body: { refreshToken: 1 } })).status).toBe(400);
  });
});

describe('POST /api/auth/logout', () => {
  it('I1: ends this session, or all', async () => {
    const [one, other, third] = [await logIn(), await logIn(), await logIn()];
    expect((await ask('POST', '/api/auth/logout', { body: { refreshToken: one.refreshToken } })).status).toBe(204);
    expect((await ask('GET', '/probe/read', { as: one.accessToken })).status).toBe(401);
    expect((await ask('GET', '/probe/read', { as: other.accessToken })).status).toBe(200);
    expect((await ask('POST', '/api/auth/logout?all=true', { as: other.accessToken })).status).toBe(204);
    expect((await ask('GET', '/probe/read', { as: third.accessToken })).status).toBe(401);
    expect((await ask('POST', '/api/auth/logout', { as: third.accessToken })).status).toBe(401);
    expect((await ask('POST', '/api/auth/logout', { as: operatorKey })).status).toBe(401);
  });
});
