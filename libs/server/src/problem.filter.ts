import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatSize } from 'eyrie/config';
import { plainProblem, Problem } from './problem.js';

/** Below this path Alertmanager's API is spoken, whose errors are bare JSON strings. */
const alertmanagerPath = '/api/v2/';

export interface ProblemFilterOptions {
  /** In bytes. */
  bodyLimit: number;
  /** How faults that are an app's own are answered; for the rest it returns nothing. */
  problemOf?: (error: unknown) => Problem | undefined;
}

/**
 * Answers every fault: what the client did wrong as a problem with all of its faults, what we did wrong as a 500 that
 * names nothing but the request. The cause of the latter is in the log, under the same request id.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Server');

  constructor(
    private readonly adapter: AbstractHttpAdapter,
    private readonly options: ProblemFilterOptions,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.getArgByIndex<FastifyRequest>(0);
    const reply = host.getArgByIndex<FastifyReply>(1);
    const problem = this.problemOf(exception);
    const status = problem.getStatus();
    if (!(exception instanceof Problem) && status >= 500) {
      this.logger.error(`${request.method} ${request.routeOptions?.url ?? '(unknown route)'} failed`, exception);
    } else if (problem.cause !== undefined && status >= 500) {
      this.logger.warn(
        `${request.method} ${request.routeOptions?.url ?? '(unknown route)'}: ${problem.title}`,
        problem.cause,
      );
    }
    if (this.adapter.isHeadersSent(reply)) {
      // Half an answer is out: the only way to say that it is no whole one is to break it off.
      // But what is whole, as after HANDLER_TIMEOUT, stays so.
      if (!reply.raw.writableEnded) reply.raw.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.headers)) this.adapter.setHeader(reply, name, value);
    const asText = request.url.startsWith(alertmanagerPath);
    this.adapter.setHeader(reply, 'content-type', asText ? 'application/json' : 'application/problem+json');
    const body = asText ? problem.toText() : problem.toBody(request.id);
    this.adapter.reply(reply, JSON.stringify(body), status);
  }

  private problemOf(exception: unknown): Problem {
    if (exception instanceof Problem) return exception;
    if (!(exception instanceof HttpException)) {
      return this.options.problemOf?.(exception) ?? this.fromFastify(exception) ?? plainProblem(500);
    }
    const known = this.fromFastify(exception.cause);
    if (known) return known;
    const status = exception.getStatus();
    // The message of a 5xx was not written for the client.
    return status >= 500 ? plainProblem(status) : plainProblem(status, { detail: detailOf(exception) });
  }

  /** What Fastify refuses by itself, before any handler. */
  private fromFastify(error: unknown): Problem | undefined {
    const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown };
    if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number') return undefined;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      return plainProblem(413, { detail: `A body may have at most ${formatSize(this.options.bodyLimit)}.` });
    }
    if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      return plainProblem(415, { detail: 'Send application/json.' });
    }
    return statusCode < 500 ? plainProblem(statusCode, { detail: String(message) }) : undefined;
  }
}

/** Nest's own exceptions hold a text or `{ message }`, where the message may be a list. */
function detailOf(exception: HttpException): string {
  const response = exception.getResponse();
  if (typeof response === 'string') return response;
  const { message } = response as { message?: unknown };
  return Array.isArray(message) ? message.join('; ') : typeof message === 'string' ? message : exception.message;
}
