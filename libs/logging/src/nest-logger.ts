import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { ownFields } from './logger.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * Nest's logger over pino: `new Logger('Alerts').error('Could not deliver', error, { receiver })` becomes one line with
 * `logger`, `error` and `receiver`. Errors are found wherever they stand among the arguments.
 */
export class NestLogger implements LoggerService {
  constructor(readonly pino: Logger) {}

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
    if (!this.pino.isLevelEnabled(level)) return;
    const fields: Record<string, unknown> = {};
    // Nest appends the name of the logger to the arguments.
    const last = rest.at(-1);
    if (typeof last === 'string' && !isStack(last)) {
      fields.logger = last;
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
        text += `${text && ' '}${typeof part === 'string' ? part : JSON.stringify(part)}`;
      }
    }
    this.pino[level](fields, text);
  }
}

/** Nest hands the stack of an error as a string of its own. */
function isStack(part: unknown): part is string {
  return typeof part === 'string' && /\n\s*at /.test(part);
}

/** Adds an object's fields to those of the line; returns its `message`, which is the line's. */
function addFields(fields: Record<string, unknown>, object: object): string {
  let message = '';
  for (const [name, value] of Object.entries(object)) {
    if (name === 'message' && typeof value === 'string') message = value;
    else fields[ownFields.has(name) || name === 'logger' ? `${name}_` : name] = value;
  }
  return message;
}
