import { describe, expect, it } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PinoLogger } from 'nestjs-pino';
import { currentContext, extendContext, runInContext } from './log-context.js';
import { createLogger, type LoggerOptions } from './logger.js';
import { LoggingModule } from './logging.module.js';
import { NestLogger } from './nest-logger.js';

type Line = Record<string, unknown>;

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const output = { write: (line: string) => void lines.push(line), flushSync: () => undefined };
  const settings = { level: 'info', format: 'json', service: 'api', version: '1.2.3', environment: 'test' } as const;
  const full: LoggerOptions = { ...settings, ...options, output };
  return { full, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? '{}') as Line, lines };
}

describe('createLogger', () => {
  it('C1: writes the promised fields, and those of the context where they exist', () => {
    const { full, last } = capture();
    const logger = new NestLogger(createLogger(full));
    logger.log('Stored', { count: 3, level: 'mine' }, 'Alerts');
    expect(last()).toEqual({
      level: 'info',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      message: 'Stored',
      service: 'api',
      version: '1.2.3',
      environment: 'test',
      logger: 'Alerts',
      count: 3,
      level_: 'mine',
    });
    runInContext({ requestId: 'r1', userId: 'u1', job: 'j1', traceId: 't1', spanId: 's1' }, () => logger.warn('x'));
    expect(last()).toMatchObject({ request_id: 'r1', user_id: 'u1', job: 'j1', trace_id: 't1', span_id: 's1' });
  });

  it('C4: the context follows awaits and timers, nests, and can be extended', async () => {
    await runInContext({ requestId: 'r1' }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      extendContext({ userId: 'u1' });
      await runInContext({ job: 'j1' }, async () => {
        await Promise.resolve();
        expect(currentContext()).toEqual({ requestId: 'r1', userId: 'u1', job: 'j1' });
      });
      expect(currentContext()).toEqual({ requestId: 'r1', userId: 'u1' });
    });
    expect(currentContext()).toEqual({});
  });

  it('C1: writes errors with type, message, stack and cause, wherever among the arguments they stand', () => {
    const { full, last } = capture();
    const logger = new NestLogger(createLogger(full));
    const inner = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', client: { password: 'x' } });
    const error = new TypeError('cannot', { cause: inner });
    for (const log of [
      () => logger.error('Could not', error, 'Here'),
      () => logger.error(error, error.stack, 'Here'),
      () => logger.fatal('Could not', { attempt: 1 }, error, 'Here'),
    ]) {
      log();
      expect(last()).toMatchObject({ logger: 'Here', error: { type: 'TypeError', message: 'cannot' } });
      expect(last().error).toMatchObject({ stack: expect.stringContaining('logger.spec') });
      expect((last().error as Line).cause).toEqual({
        type: 'Error',
        message: 'refused',
        code: 'ECONNREFUSED',
        stack: expect.any(String),
      });
    }
    logger.error('Old style', 'Error: x\n    at here', 'Here');
    expect(last()).toMatchObject({ message: 'Old style', error: { stack: 'Error: x\n    at here' } });
  });

  it('C1: bounds a cause that is its own cause, and takes what is thrown that is no error', () => {
    const { full, last } = capture();
    const logger = createLogger(full);
    const loop = new Error('loop');
    loop.cause = loop;
    logger.error(loop);
    expect(JSON.stringify(last()).length).toBeLessThan(100_000);
    logger.error({ error: new AggregateError([new Error('a'), 'b'], 'all') });
    expect(last()).toMatchObject({ error: { errors: [{ message: 'a' }, { type: 'string', message: 'b' }] } });
  });

  it('C1: takes whatever is logged: huge, cyclic, entangled, or with a getter that throws', () => {
    const { full, last } = capture();
    const logger = new NestLogger(createLogger(full));
    const nodes: Record<string, unknown>[] = Array.from({ length: 50 }, (_, index) => ({ index }));
    for (const node of nodes) for (const [index, other] of nodes.entries()) node[`n${index}`] = other;
    const cyclic: Record<string, unknown> = { failure: Object.assign(new Error('inner'), { planted: 'planted' }) };
    cyclic.self = cyclic;
    const hostile = {
      get x(): never {
        throw new Error('planted');
      },
    };
    const started = performance.now();
    for (const value of [
      nodes,
      cyclic,
      hostile,
      new Array(1_000_000).fill({ a: 1 }),
      null,
      undefined,
      1n,
      Symbol('s'),
    ]) {
      logger.log({ message: 'as a field', value });
      expect(last()).toMatchObject({ message: 'as a field' });
      expect(JSON.stringify(last()).length).toBeLessThan(1_000_000);
      expect(JSON.stringify(last())).not.toContain('planted');
    }
    expect(last().value).toBeUndefined();
    logger.log('message', [cyclic], 1n, 'Here');
    expect(last().message).toContain('message [{');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('C5: a secret reaches no line through message, object, error or cause', () => {
    const { full, text } = capture();
    const logger = new NestLogger(createLogger(full));
    const planted = 'hunter2-Zq9';
    const cause = new Error(`connect postgres://eyrie:${planted}@db/eyrie`);
    logger.error('x', new Error(`{"password":"${planted}"}`, { cause }), { headers: { cookie: planted } });
    logger.log(`Authorization: Bearer ${planted}`);
    logger.log({ message: 'm', deep: { list: [{ webhookToken: planted }] } });
    expect(text()).not.toContain(planted);
    expect(text().match(/\[redacted]/g)?.length).toBeGreaterThanOrEqual(5);
  });

  it('C1: LOG_FORMAT=text writes for people, without secrets, and LOG_LEVEL holds', () => {
    const { full, text, lines } = capture({ format: 'text', level: 'warn' });
    const logger = new NestLogger(createLogger(full));
    logger.log('unseen');
    expect(lines).toHaveLength(0);
    logger.warn('Slow token=abcdef', new Error('because'), 'Database');
    expect(text()).toMatch(/WARN.*: \[Database\] Slow token=\[redacted\]/);
    expect(text()).toContain('because');
  });

  it('C1: Nest and nestjs-pino write through the same logger', async () => {
    const { full, last } = capture();
    @Module({ imports: [LoggingModule.forRoot(full)] })
    class App {}
    const app = await NestFactory.createApplicationContext(App);
    new Logger('Mine').log('through Nest');
    expect(last()).toMatchObject({ message: 'through Nest', logger: 'Mine', service: 'api' });
    const pinoLogger = await app.resolve(PinoLogger);
    pinoLogger.setContext('Theirs');
    pinoLogger.error(new Error('through nestjs-pino'));
    expect(last()).toMatchObject({ logger: 'Theirs', error: { message: 'through nestjs-pino' } });
    await app.close();
    Logger.overrideLogger(false);
  });
});
