import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { textOf, withoutErrors } from './error-fields.js';
import { contextFields } from './log-context.js';
import { levelsOf, ownFields, writerOf } from './logger.js';
import { type LoggerLevels, levelValues } from './logger-levels.js';
import type { LogLevel } from './logging.config.js';

type Level = Exclude<LogLevel, 'silent'>;

/**
 * Nest's logger over pino: `new Logger('Alerts').error('Could not deliver', error, { receiver })` becomes one line with
 * `logger`, `error` and `receiver`. Errors are found wherever they stand among the arguments.
 */
export class NestLogger implements LoggerService {
  /** The level of each logger. */
  readonly levels: LoggerLevels;
  private readonly writer: Logger;

  constructor(readonly pino: Logger) {
    this.levels = levelsOf(pino);
    this.writer = writerOf(pino);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: unknown[]): void {
    // Nest appends the name of the logger to the arguments.
    const last = rest.at(-1);
    const name = typeof last === 'string' && !isStack(last) ? last : undefined;
    if (!this.levels.isEnabled(name, levelValues[level])) return;
    const fields: Record<string, unknown> = contextFields();
    if (name !== undefined) {
      fields.logger = name;
      rest = rest.slice(0, -1);
    }
    let text = '';
    for (const part of [message, ...rest]) {
      if (part instanceof Error) {
        fields.error ??= part;
        text ||= part.message;
      } else if (isStack(part)) {
        fields.error ??= Object.assign(new Error(text), { stack: part });
      } else if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
        const message = addFields(fields, part);
        text ||= message;
      } else if (part !== undefined) {
        text += `${text && ' '}${textOf(part)}`;
      }
    }
    this.writer[level](fields, text);
  }
}

/** Nest hands the stack of an error as a string of its own. */
function isStack(part: unknown): part is string {
  return typeof part === 'string' && part.includes('\n') && /\n\s*at /.test(part);
}

function fieldName(name: string): string {
  return ownFields.has(name) || name === 'logger' ? `${name}_` : name;
}

/** Adds an object's fields to those of the line; returns its `message`, which is the line's. */
function addFields(fields: Record<string, unknown>, object: object): string {
  let message = '';
  for (const [name, value] of Object.entries(object) as [string, unknown][]) {
    if (name === 'message' && typeof value === 'string') message = value;
    else if (name === 'error' || name === 'err') fields[name] = value;
    else fields[fieldName(name)] = typeof value === 'object' && value !== null ? withoutErrors(value) : value;
  }
  return message;
}
