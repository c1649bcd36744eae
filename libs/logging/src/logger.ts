import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { errorFields } from './error-fields.js';
import { contextFields } from './log-context.js';
import type { LoggingSettings } from './logging.config.js';
import { type LogOutput, stdout } from './output.js';
import { redactLine } from './redact.js';

export interface LoggerOptions extends LoggingSettings {
  /** The app, such as `api`. */
  service: string;
  version: string;
  environment: string;
  /** Where lines go instead of stdout. */
  output?: LogOutput;
}

/** Fields that the logger itself writes; an object that is logged may not double them. */
export const ownFields: ReadonlySet<string> = new Set([
  'level',
  'timestamp',
  'message',
  'service',
  'version',
  'environment',
]);

/** A pino logger that writes the fields this product promises, and no secrets. */
export function createLogger({
  level,
  format,
  service,
  version,
  environment,
  output = stdout(),
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      messageKey: 'message',
      errorKey: 'error',
      base: { service, version, environment },
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => contextFields(),
      serializers: { error: errorFields, err: errorFields },
      // Scrubs the finished line, whatever part of it a secret came in by.
      hooks: { streamWrite: redactLine },
    },
    format === 'text' ? asText(output) : output,
  );
}

let lastMs = 0;
let lastText = '';

function timestamp(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastText = `,"timestamp":"${new Date(now).toISOString()}"`;
  }
  return lastText;
}

function asText(output: LogOutput): LogOutput {
  const pretty = prettyFactory({
    colorize: output === stdout() && process.stdout.isTTY,
    messageKey: 'message',
    timestampKey: 'timestamp',
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['error', 'err'],
    ignore: 'service,version,environment,logger',
    messageFormat: '{if logger}[{logger}] {end}{message}',
  });
  return { write: (line) => output.write(pretty(line)), flushSync: () => output.flushSync() };
}
