import { BadRequestException, Body, Controller, Delete, Get, Header, Param, Put } from '@nestjs/common';
import { duration } from 'eyrie/config';
import * as z from 'zod';
import { type LoggerLevel, LoggerLevelError, LoggerLevels } from './logger-levels.js';
import { type LogLevel, logLevels } from './logging.config.js';

/** Every logger that was seen or set, and `ROOT`, which the others follow. */
export interface LoggersView {
  levels: readonly LogLevel[];
  loggers: Record<string, LoggerLevel>;
}

const change = z.strictObject({
  configuredLevel: z.string().toLowerCase().pipe(z.enum(logLevels)).nullable(),
  expiresIn: duration({ min: '1s', max: '24h' }).optional(),
});
const namedChange = change.extend({ logger: z.string() });

/**
 * Reads and changes the levels of loggers while the process runs, in every process of the container. The levels decide
 * what the log tells: this belongs behind authentication, and so is only there where an app lists it.
 *
 * @example curl -X PUT -d '{"configuredLevel":"debug","expiresIn":"10m"}' …/monitoring/loggers/Database
 */
@Controller('monitoring/loggers')
export class LoggersController {
  constructor(private readonly levels: LoggerLevels) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  list(): LoggersView {
    return { levels: logLevels, loggers: this.levels.all() };
  }

  @Get(':name')
  @Header('Cache-Control', 'no-store')
  one(@Param('name') name: string): LoggerLevel {
    return this.levels.levelOf(name);
  }

  /** As {@link set}, for the logger that the body names. */
  @Put()
  setNamed(@Body() body: unknown): LoggerLevel {
    const { logger, configuredLevel, expiresIn } = read(namedChange, body);
    return this.change(logger, configuredLevel, expiresIn);
  }

  /** Gives the logger a level of its own; null takes it away. */
  @Put(':name')
  set(@Param('name') name: string, @Body() body: unknown): LoggerLevel {
    const { configuredLevel, expiresIn } = read(change, body);
    return this.change(name, configuredLevel, expiresIn);
  }

  @Delete(':name')
  reset(@Param('name') name: string): LoggerLevel {
    return this.change(name, null);
  }

  private change(name: string, level: LogLevel | null, lastsMs?: number): LoggerLevel {
    if (level === null && lastsMs !== undefined) {
      throw new BadRequestException('expiresIn: goes with a level, not with a reset');
    }
    try {
      return this.levels.set(name, level, lastsMs);
    } catch (error) {
      if (error instanceof LoggerLevelError) throw new BadRequestException(error.message);
      throw error;
    }
  }
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new BadRequestException(faults.join('; '));
}
