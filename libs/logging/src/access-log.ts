import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { contextFields, enterContext, type LogContext } from './log-context.js';
import { redactUrl } from './redact.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log lines of this request carry. */
    logContext: Partial<LogContext>;
  }
}

export interface AccessLogOptions {
  /** Routes whose templates are one of these, or lie below one, are not logged. */
  quiet: readonly string[];
}

/** The status nginx gives to requests whose client went away before the answer. */
const clientClosedRequest = 499;

type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * The hook that gives every request its log context and logs it: "Request received" (debug) when it comes, "Request
 * completed" (info) or "Request failed" (5xx: error; client gone: warn) when it is answered. One line is one call,
 * without child loggers. Without a logger it only gives the context. It belongs before all other hooks.
 */
export function requestLog(fastify: FastifyInstance, pino: Logger | undefined, { quiet }: AccessLogOptions): OnRequest {
  // Decorated with null, not an object: a decoration is shared between requests until it is set.
  fastify.decorateRequest('logContext', null as unknown as Partial<LogContext>);
  if (!pino) return (request, _reply, done) => enterContext((request.logContext = { requestId: request.id }), done);

  const logged = new Map<string | undefined, boolean>([[undefined, true]]);
  const isLogged = (route: string | undefined): boolean => {
    let answer = logged.get(route);
    if (answer === undefined) {
      answer = !quiet.some((path) => route === path || route?.startsWith(`${path}/`));
      logged.set(route, answer);
    }
    return answer;
  };

  const complete = (request: FastifyRequest, reply: FastifyReply): void => {
    const gone = !reply.raw.writableFinished;
    const statusCode = gone ? clientClosedRequest : reply.statusCode;
    const level = gone ? 'warn' : statusCode >= 500 ? 'error' : 'info';
    if (!pino.isLevelEnabled(level)) return;
    const route = request.routeOptions.url;
    if (!isLogged(route)) return;
    const length = reply.getHeader('content-length');
    pino[level](
      {
        logger: 'AccessLog',
        ...contextFields(request.logContext),
        method: request.method,
        url: redactUrl(request.url),
        route,
        status_code: statusCode,
        duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
        response_size: gone || length === undefined ? undefined : Number(length),
        client_ip: request.ip,
        user_agent: request.headers['user-agent'],
      },
      level === 'info' ? 'Request completed' : 'Request failed',
    );
  };

  return (request, reply, done) => {
    const context: Partial<LogContext> = { requestId: request.id };
    request.logContext = context;
    if (pino.isLevelEnabled('debug') && isLogged(request.routeOptions.url)) {
      const { method, ip } = request;
      const fields = {
        logger: 'AccessLog',
        request_id: request.id,
        method,
        url: redactUrl(request.url),
        client_ip: ip,
      };
      pino.debug(fields, 'Request received');
    }
    // "close" and not Fastify's onResponse, which never comes for a client that went away.
    reply.raw.once('close', () => complete(request, reply));
    enterContext(context, done);
  };
}
