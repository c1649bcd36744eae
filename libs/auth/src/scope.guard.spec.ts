import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { Controller, Get, Logger, Module, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadSettings } from 'eyrie/config';
import { Database, DatabaseModule, databaseSettings } from 'eyrie/database';
import { LifecycleModule, lifecycleSettings } from 'eyrie/lifecycle';
import { createServer, serverSettings } from 'eyrie/server';
import { Pool } from 'pg';
import { testDatabase, type TestDatabase } from '../../../test/harness/postgres.js';
import { ApiKeysService, type AuthenticatedRequest, AuthModule, Public, RequireScope } from './index.js';

@Controller('things')
@RequireScope('read')
class ThingsController {
  @Get()
  list(@Req() request: AuthenticatedRequest) {
    return { caller: request.caller?.name };
  }

  @Post()
  @RequireScope('ingest')
  create() {
    return 'created';
  }

  @Get('open')
  @Public()
  open() {
    return 'open';
  }
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  get() {
    return 'secret';
  }
}

/** Stands for one of a library that cannot know this one's decorators. */
@Controller('below')
class BelowController {
  @Get()
  get() {
    return 'up';
  }
}

const [ingestKey, operatorKey] = ['ingest-key-of-the-test', 'operator-key-of-the-test'];
let test: TestDatabase;
let app: NestFastifyApplication;

/** An app whose connections to the database can be broken without harm to others. */
async function start(): Promise<NestFastifyApplication> {
  const slices = { server: serverSettings, lifecycle: lifecycleSettings, database: databaseSettings };
  const settings = loadSettings(slices, { env: { ENVIRONMENT: 'test' }, cwd: tmpdir() });
  @Module({
    imports: [
      LifecycleModule.forRoot(settings.lifecycle),
      DatabaseModule.forRoot({ ...settings.database, url: test.url }),
      AuthModule.forRoot({ ingestKey, operatorKey, libraryControllers: new Map([[BelowController, 'public']]) }),
    ],
    controllers: [ThingsController, ForgottenController, BelowController],
  })
  class AppModule {}
  const started = await createServer(AppModule, settings.server);
  await started.init();
  await started.getHttpAdapter().getInstance().ready();
  return started;
}

function ask(method: 'GET' | 'POST', url: string, authorization?: string, of = app) {
  return of.inject({ method, url, headers: authorization === undefined ? {} : { authorization } });
}

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await testDatabase();
  app = await start();
});

afterEach(() => app.get(ApiKeysService).settled());

afterAll(async () => {
  await app?.close();
  await test?.drop();
});

describe('a route with @RequireScope', () => {
  it.each([
    ['no key', undefined],
    ['another scheme', `Basic ${btoa(`me:${operatorKey}`)}`],
    ['a scheme without a key', 'Bearer'],
    ['two keys', `Bearer ${operatorKey} ${operatorKey}`],
    ['the bare key', operatorKey],
  ])('I2: answers 401 to %s', async (_title, authorization) => {
    const answer = await ask('GET', '/things', authorization);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="eyrie"');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status: 401, title: 'An API key or an access token is needed' });
  });

  it('I2: answers 401 to an unknown key, and does not repeat it', async () => {
    const answer = await ask('GET', '/things', 'Bearer eyr_unknown-key');
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(answer.body).not.toContain('eyr_unknown-key');
  });

  it('I2: answers 403 to a key that lacks the scope, and names it', async () => {
    const answer = await ask('GET', '/things', `Bearer ${ingestKey}`);
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="eyrie", error="insufficient_scope", scope="read"');
    expect(answer.json()).toMatchObject({ detail: 'This needs the scope "read"; the key has "ingest".' });
  });

  it('I2: lets a key with the scope in, and tells the route who it is', async () => {
    expect((await ask('GET', '/things', `Bearer ${operatorKey}`)).json()).toEqual({ caller: 'OPERATOR_KEY' });
    expect((await ask('GET', '/things', `bearer  ${operatorKey} `)).statusCode).toBe(200);
  });

  it('I2: asks for its own scope rather than its controller’s', async () => {
    expect((await ask('POST', '/things', `Bearer ${ingestKey}`)).statusCode).toBe(201);
  });
});

describe('other routes', () => {
  it('I2: are open with @Public, or in a controller that is listed', async () => {
    expect((await ask('GET', '/things/open')).body).toBe('open');
    expect((await ask('GET', '/below')).body).toBe('up');
  });

  it('I2: are closed to everybody if they say nothing', async () => {
    for (const authorization of [undefined, `Bearer ${operatorKey}`]) {
      const answer = await ask('GET', '/forgotten', authorization);
      expect(answer.statusCode).toBe(403);
      expect(answer.body).not.toContain('secret');
    }
  });
});

describe('without the database', () => {
  it('I2: answers 503 to a key that it does not remember, never 401, and serves those that it does', async () => {
    const other = await start();
    const { key } = await new ApiKeysService(other.get(Database)).create('unseen', ['read']);
    expect((await ask('GET', '/things', `Bearer ${operatorKey}`, other)).statusCode).toBe(200);
    await other.get(ApiKeysService).settled();
    await other.get(Pool).end();

    const answer = await ask('GET', '/things', `Bearer ${key}`, other);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).not.toMatch(/pool|connect|postgres/i);
    expect((await ask('GET', '/things', `Bearer ${operatorKey}`, other)).statusCode).toBe(200);
    await other.close();
  });
});
