import { createRequire } from 'node:module';
import { type Level, type Logger, type LoggerOptions as PinoOptions, pino } from 'pino';
import type PinoPretty from 'pino-pretty';
import { errorFields, plainErrors } from './error-fields.js';
import { contextFields } from './log-context.js';
import { LoggerLevels } from './logger-levels.js';
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

/** What belongs to a logger of {@link createLogger}. */
interface Parts {
  levels: LoggerLevels;
  /**
   * Writes to the same place, unasked and without the context: for those who ask the levels themselves, bring the
   * context's fields, and hand over no error but as `error`.
   */
  writer: Logger;
  writePlain: WritePlain;
}

/**
 * Writes what is known to hold no secret, and is not looked at again: half of the time of a line goes into that. Otherwise
 * as the writer, in its form.
 */
export type WritePlain = (level: Level, fields: PlainFields, message: string) => void;
export type PlainFields = Readonly<Record<string, string | number | undefined>>;

const partsByLogger = new WeakMap<object, Parts>();

function partsOf(logger: Logger): Parts {
  for (let each: object | null = logger; each; each = Object.getPrototypeOf(each) as object | null) {
    const parts = partsByLogger.get(each);
    if (parts) return parts;
  }
  throw new Error('the logger was not made by createLogger');
}

/** The levels of a logger of {@link createLogger}; those of its children are the same. */
export function levelsOf(logger: Logger): LoggerLevels {
  return partsOf(logger).levels;
}

/** The same logger without its checks and its context, for the two that write nearly every line. */
export function writerOf(logger: Logger): Logger {
  return partsOf(logger).writer;
}

export function plainWriterOf(logger: Logger): WritePlain {
  return partsOf(logger).writePlain;
}

/** A pino logger that writes the fields this product promises, and no secrets, and obeys its {@link levelsOf}. */
export function createLogger(given: LoggerOptions): Logger {
  const { level, format, service, version, environment, output = stdout() } = given;
  const stream = format === 'text' ? asText(output) : output;
  const levelLabel = (label: string) => ({ level: label });
  const base = { service, version, environment };
  const options: PinoOptions<never> = {
    messageKey: 'message',
    errorKey: 'error',
    base,
    timestamp,
    serializers: { error: errorFields, err: errorFields },
  };
  // Scrubs the finished line, whatever part of it a secret came in by.
  const hooks = { streamWrite: redactLine };
  const writer = pino({ ...options, level: 'trace', formatters: { level: levelLabel }, hooks }, stream);
  const levels = new LoggerLevels(level, {
    apply: (least) => (logger.level = least),
    announce: (text, fields) => writer.info({ ...contextFields(), logger: 'LoggerLevels', ...fields }, text),
  });
  const logger = pino(
    {
      ...options,
      mixin: () => contextFields(),
      level,
      formatters: { level: levelLabel, log: plainErrors },
      hooks: {
        ...hooks,
        logMethod(args, write, value) {
          if (levels.isEnabled(nameOf(this, args[0], levels), value)) write.apply(this, args);
        },
      },
    },
    stream,
  );
  output.onLoss = (lines) =>
    writer.error({ logger: 'Logging', lost_lines: lines }, 'Lines were lost: nobody read them');
  const baseText = membersOf(base);
  const writePlain: WritePlain = (level, fields, message) =>
    stream.write(`{"level":"${level}"${timestamp()},${baseText},${membersOf(fields)},${membersOf({ message })}}\n`);
  partsByLogger.set(logger, { levels, writer, writePlain });
  return logger;
}

/** The name in the fields of a line, or that of a child logger, which only matters where levels differ. */
function nameOf(logger: Logger, fields: unknown, levels: LoggerLevels): string | undefined {
  const given = (fields as { logger?: unknown } | null | undefined)?.logger;
  const name = given ?? (levels.differ ? (logger.bindings() as { logger?: unknown }).logger : undefined);
  return typeof name === 'string' ? name : undefined;
}

/** An object's JSON without its braces. */
function membersOf(object: PlainFields): string {
  return JSON.stringify(object).slice(1, -1);
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
  // Not loaded where lines are JSON.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
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
