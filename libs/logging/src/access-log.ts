import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { SpanContext } from '@opentelemetry/api';
import { activeSpan, contextFields, enterContext, type LogContext } from './log-context.js';
import { levelsOf, plainWriterOf, writerOf } from './logger.js';
import { levelValues } from './logger-levels.js';
import { mayHoldSecret, redactUrl } from './redact.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log lines of this request carry. */
    logContext: Partial<LogContext>;
  }
}

export interface AccessLogOptions {
  /** Routes whose requests are not logged, by their template. */
  quiet: (route: string) => boolean;
}

const accessLog = 'AccessLog';

/** The status nginx gives to requests whose client went away before the answer. */
const clientClosedRequest = 499;

type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * The hook that gives every request its log context and logs it: "Request received" (debug) when it comes, "Request
 * completed" (info) or "Request failed" (5xx: error; client gone: warn) when it is answered. One line is one call,
 * without child loggers, and only what clients have a say in is searched for secrets. Without a logger it only gives the
 * context. It belongs before all other hooks.
 */
export function requestLog(fastify: FastifyInstance, pino: Logger | undefined, { quiet }: AccessLogOptions): OnRequest {
  // Decorated with null, not an object: a decoration is shared between requests until it is set.
  fastify.decorateRequest('logContext', null as unknown as Partial<LogContext>);
  if (!pino) return (request, _reply, done) => enterContext((request.logContext = { requestId: request.id }), done);

  const levels = levelsOf(pino);
  const writer = writerOf(pino);
  const writePlain = plainWriterOf(pino);
  const isLogged = (route: string | undefined) => route === undefined || !quiet(route);

  const complete = (request: FastifyRequest, reply: FastifyReply, span: SpanContext | undefined): void => {
    const gone = !reply.raw.writableFinished;
    const statusCode = gone ? clientClosedRequest : reply.statusCode;
    const level = gone ? 'warn' : statusCode >= 500 ? 'error' : 'info';
    if (!levels.isEnabled(accessLog, levelValues[level])) return;
    const route = request.routeOptions.url;
    if (!isLogged(route)) return;
    const length = reply.getHeader('content-length');
    const context = contextFields(request.logContext, span);
    const fields = {
      logger: accessLog,
      ...context,
      method: request.method,
      url: redactUrl(request.url),
      route,
      status_code: statusCode,
      duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
      response_size: gone || length === undefined ? undefined : Number(length),
      client_ip: request.ip,
      user_agent: request.headers['user-agent'],
    };
    const { request_id, user_id } = context;
    const { url, client_ip, user_agent } = fields;
    const message = level === 'info' ? 'Request completed' : 'Request failed';
    // The rest is made here: levels, routes, numbers, the ids of spans.
    if (mayHoldSecret([request_id, user_id, url, client_ip, user_agent].join(' '))) writer[level](fields, message);
    else writePlain(level, fields, message);
  };

  return (request, reply, done) => {
    const context: Partial<LogContext> = { requestId: request.id };
    request.logContext = context;
    if (levels.isEnabled(accessLog, levelValues.debug) && isLogged(request.routeOptions.url)) {
      const { method, ip } = request;
      const fields = {
        logger: accessLog,
        request_id: request.id,
        method,
        url: redactUrl(request.url),
        client_ip: ip,
      };
      writer.debug(fields, 'Request received');
    }
    // Its span has ended when the request is logged, and the event belongs to no span, or to another's.
    const span = activeSpan();
    // "close" and not Fastify's onResponse, which never comes for a client that went away.
    reply.raw.on('close', () => complete(request, reply, span));
    enterContext(context, done);
  };
}
