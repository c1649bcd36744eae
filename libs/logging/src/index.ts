export { type AccessLogOptions, requestLog } from './access-log.js';
export { errorFields, type ErrorFields } from './error-fields.js';
export { currentContext, extendContext, runInContext, type LogContext } from './log-context.js';
export { createLogger, type LoggerOptions } from './logger.js';
export { loggingSettings, logLevels, type LoggingSettings, type LogLevel } from './logging.config.js';
export { installedLogger, installLogger, LoggingModule } from './logging.module.js';
export { NestLogger } from './nest-logger.js';
export { flushLogs, type LogOutput } from './output.js';
export { hideSecrets, redact, redacted, redactUrl } from './redact.js';
