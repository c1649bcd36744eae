import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { testDatabase, type TestDatabase } from '../../../../test/harness/postgres.js';
import { AuthApp } from '../../fixtures/auth-app.js';

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

describe('/api/v1/keys', () => {
  it('I2: makes a key, told once, lists it with its last use, and revokes it', async () => {
    const { accessToken: as } = await logIn();
    const made = await ask('POST', '/api/v1/keys', { as, body: { name: 'prometheus', scopes: ['ingest', 'respond'] } });
    expect(made).toMatchObject({ status: 201, json: { name: 'prometheus', scopes: ['ingest', 'respond'] } });
    const { id, key } = made.json as { id: string; key: string };
    expect((await ask('POST', '/probe/ingest', { as: key })).status).toBe(201);
    expect((await ask('GET', '/probe/read', { as: key })).status).toBe(403);
    await app.settled();
    const listed = await ask('GET', '/api/v1/keys', { as });
    expect(JSON.stringify(listed.json)).not.toContain(key.slice(10));
    const { keys } = listed.json as { keys: { id: string; name: string; lastUsedAt: string | null }[] };
    expect(keys.find((each) => each.id === id)?.lastUsedAt).not.toBeNull();
    const taken = await ask('POST', '/api/v1/keys', { as, body: { name: 'prometheus', scopes: ['read'] } });
    expect(taken.status).toBe(409);
    const configured = keys.find(({ name }) => name === 'OPERATOR_KEY')!;
    expect((await ask('DELETE', `/api/v1/keys/${configured.id}`, { as })).status).toBe(409);
    expect((await ask('DELETE', `/api/v1/keys/${id}`, { as })).status).toBe(204);
    expect((await ask('DELETE', `/api/v1/keys/${id}`, { as })).status).toBe(404);
    expect((await ask('POST', '/probe/ingest', { as: key })).status).toBe(401);
  });
});
