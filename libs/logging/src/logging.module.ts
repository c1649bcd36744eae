import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { errorFields } from './error-fields.js';
import { clusterSiblings, LevelSharing, SIBLINGS } from './level-sharing.js';
import { createLogger, type LoggerOptions } from './logger.js';
import { LoggerLevels } from './logger-levels.js';
import { NestLogger } from './nest-logger.js';

let installed: NestLogger | undefined;

/**
 * From here on every line of Nest's `Logger`, in this process, is structured and free of secrets. {@link LoggingModule}
 * does this itself; a program that logs before its module exists does it first.
 */
export function installLogger(options: LoggerOptions): NestLogger {
  installed = new NestLogger(createLogger(options));
  Logger.overrideLogger(installed);
  return installed;
}

/** The logger of this process, if there is one already. */
export function installedLogger(): NestLogger | undefined {
  return installed;
}

/**
 * Structured logs: `new Logger(name)` of Nest and `PinoLogger`/`@InjectPinoLogger()` of nestjs-pino write through one
 * pino logger, from the moment this module is declared.
 *
 * An app that lists `LoggersController` among its controllers can change the levels of loggers while it runs.
 *
 * nestjs-pino's request middleware stays off: a child logger for each request costs more than the request's one line.
 */
@Global()
@Module({})
export class LoggingModule {
  static forRoot(options: LoggerOptions): DynamicModule {
    const logger = installLogger(options);
    return {
      module: LoggingModule,
      imports: [
        LoggerModule.forRoot({
          pinoHttp: {
            logger: logger.pino,
            autoLogging: false,
            customAttributeKeys: { err: 'error' },
            // Its own would write every property of an error.
            serializers: { error: errorFields, err: errorFields },
            wrapSerializers: false,
          },
          forRoutes: [],
          renameContext: 'logger',
        }),
      ],
      providers: [
        { provide: NestLogger, useValue: logger },
        { provide: LoggerLevels, useValue: logger.levels },
        { provide: SIBLINGS, useFactory: clusterSiblings },
        LevelSharing,
      ],
      exports: [NestLogger, LoggerLevels, LoggerModule],
    };
  }
}
