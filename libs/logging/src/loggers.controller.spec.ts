import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { PinoLogger } from 'nestjs-pino';
import { runInContext } from './log-context.js';
import { LoggerLevels } from './logger-levels.js';
import { LoggersController, type LoggersView } from './loggers.controller.js';
import { LoggingModule } from './logging.module.js';
import { NestLogger } from './nest-logger.js';

const lines: Record<string, unknown>[] = [];
const output = {
  write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  flushSync: () => undefined,
};
const settings = { level: 'info', format: 'json', service: 's', version: '1', environment: 'test', output } as const;

@Module({ imports: [LoggingModule.forRoot(settings)], controllers: [LoggersController] })
class App {}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { abortOnError: false });
  await app.init();
});
afterEach(() => {
  const levels = app.get(LoggerLevels);
  for (const name of Object.keys(levels.all())) levels.set(name, null);
  lines.length = 0;
});
afterAll(async () => {
  await app.close();
  Logger.overrideLogger(false);
});

async function ask(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object) {
  const response = await app.inject({ method, url: `/monitoring/loggers${path}`, payload: body });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

describe('/monitoring/loggers', () => {
  it('C6: PUT makes one logger more talkative, and DELETE or null takes that back', async () => {
    const logger = new Logger('Database');
    const speak = () => {
      lines.length = 0;
      logger.debug('from Database');
      new Logger('Other').debug('from Other');
      return lines.map(({ message }) => message);
    };
    expect(speak()).toEqual([]);
    const changed = { configuredLevel: 'debug', effectiveLevel: 'debug' };
    expect(await ask('PUT', '/Database', { configuredLevel: 'debug' })).toEqual({ status: 200, body: changed });
    expect(await ask('GET', '/Database')).toEqual({ status: 200, body: changed });
    expect(speak()).toEqual(['from Database']);
    await ask('DELETE', '/Database');
    expect(speak()).toEqual([]);
    await ask('PUT', '', { logger: 'Database', configuredLevel: 'TRACE' });
    expect(speak()).toEqual(['from Database']);
    await ask('PUT', '', { logger: 'Database', configuredLevel: null });
    expect(speak()).toEqual([]);
  });

  it('C6: GET lists the root and every logger that was seen or set', async () => {
    new Logger('Quiet').debug('unseen');
    const before = Date.now();
    await ask('PUT', '/Database', { configuredLevel: 'debug', expiresIn: '10m' });
    const { body } = (await ask('GET', '')) as unknown as { body: LoggersView };
    expect(body.levels).toEqual(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
    expect(body.loggers).toMatchObject({
      ROOT: { configuredLevel: 'info', effectiveLevel: 'info' },
      Quiet: { configuredLevel: null, effectiveLevel: 'info' },
      Database: { configuredLevel: 'debug', effectiveLevel: 'debug', expiresAt: expect.any(String) },
    });
    const lasts = Date.parse(body.loggers.Database?.expiresAt ?? '') - before;
    expect(lasts).toBeGreaterThanOrEqual(600_000);
    expect(lasts).toBeLessThan(605_000);
  });

  it.each([
    [{ configuredLevel: 'loud' }, 'configuredLevel: Invalid option: expected one of "trace"|"debug"|"info"'],
    [{}, 'configuredLevel: '],
    [{ configuredLevel: 'debug', expiresIn: '10' }, 'expiresIn: a duration such as 30s or 1h30m, from 1s to 24h'],
    [{ configuredLevel: 'debug', expiresIn: '25h' }, 'expiresIn: a duration such as 30s or 1h30m, from 1s to 24h'],
    [{ configuredLevel: null, expiresIn: '1h' }, 'expiresIn: goes with a level'],
    [{ configuredLevel: 'debug', level: 'debug' }, 'body: Unrecognized key: "level"'],
    [{ configuredLevel: 'loud', expiresIn: 5 }, '; expiresIn: '],
  ])('C6: refuses %j with 400, saying why', async (body, message) => {
    const answer = await ask('PUT', '/Database', body);
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(message)]);
    expect((await ask('GET', '/Database')).body.configuredLevel).toBeNull();
  });

  it('C6: refuses a name that cannot be one', async () => {
    expect((await ask('PUT', '', { logger: '', configuredLevel: 'debug' })).body.message).toContain('1 to 100 char');
    expect((await ask('PUT', '/a%0Ab', { configuredLevel: 'debug' })).status).toBe(400);
    expect((await ask('PUT', '', { configuredLevel: 'debug' })).status).toBe(400);
  });

  it('C6: a change is logged with who made it, even where nothing else is logged', () => {
    app.get(LoggerLevels).set('ROOT', 'silent');
    lines.length = 0;
    runInContext({ requestId: 'r1', userId: 'key:ops' }, () => {
      app.get(LoggersController).set('Database', { configuredLevel: 'debug' });
    });
    expect(lines).toEqual([
      expect.objectContaining({
        logger: 'LoggerLevels',
        message: 'Level of Database is now debug',
        changed: { logger: 'Database', level: 'debug' },
        user_id: 'key:ops',
        request_id: 'r1',
      }),
    ]);
  });

  it("C6: nestjs-pino's loggers and children of pino's follow, those that were made before as well", async () => {
    const theirs = await app.resolve(PinoLogger);
    theirs.setContext('Theirs');
    const child = app.get(NestLogger).pino.child({ logger: 'Child' });
    const speak = () => {
      lines.length = 0;
      theirs.debug('theirs');
      child.debug('child');
      theirs.info('theirs, info');
      return lines.map(({ message }) => message);
    };
    expect(speak()).toEqual(['theirs, info']);
    await ask('PUT', '/Theirs', { configuredLevel: 'debug' });
    expect(speak()).toEqual(['theirs', 'theirs, info']);
    await ask('PUT', '/Child', { configuredLevel: 'trace' });
    await ask('PUT', '/Theirs', { configuredLevel: 'silent' });
    expect(speak()).toEqual(['child']);
  });

  it('C5: an error through nestjs-pino shows none of its own properties', async () => {
    const theirs = await app.resolve(PinoLogger);
    const cause = Object.assign(new Error('inner'), { parameters: ['planted'] });
    theirs.error(Object.assign(new Error('outer', { cause }), { client: { x: 'planted' }, code: 'E1' }), 'failed');
    theirs.warn({ reason: cause }, 'also');
    expect(lines[0]).toMatchObject({
      error: { type: 'Error', message: 'outer', code: 'E1', cause: { message: 'inner' } },
    });
    expect(lines[1]).toMatchObject({ reason: { type: 'Error', message: 'inner' } });
    expect(JSON.stringify(lines)).not.toContain('planted');
  });
});
