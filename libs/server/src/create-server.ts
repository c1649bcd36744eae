import type { DynamicModule, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { NestLogger, requestLog } from 'eyrie/logging';
import { observeRequests } from 'eyrie/metrics';
import { requestSpans } from 'eyrie/tracing';
import { answerClientError } from './client-errors.js';
import { closeConnections } from './close-connections.js';
import { currentMember } from './cluster/membership.js';
import { limitHandlers } from './handler-timeout.js';
import { parseJsonBody } from './json-body.js';
import type { Problem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { requestIds } from './request-id.js';
import { securityHeaders } from './security-headers.js';
import { sendTogether } from './send-together.js';
import type { ServerSettings } from './server.config.js';
import { shedLoad } from './shed-load.js';
import { trustOf } from './trust.js';

/** Probes and scrapes: neither logged nor traced, and answered even under overload. By route, so as to be looked up. */
const quietRoutes = new Map<string, boolean>();

function isQuiet(route: string): boolean {
  let answer = quietRoutes.get(route);
  if (answer === undefined) {
    answer = /^(\/monitoring)?\/(health|metrics)(\/|$)/.test(route);
    quietRoutes.set(route, answer);
  }
  return answer;
}

export interface ServerOptions {
  /** How faults that are the app's own, such as a database that is away, are answered. */
  problemOf?: (error: unknown) => Problem | undefined;
}

/**
 * A Nest application on Fastify with the limits, request ids, problems, security headers and access log of this product,
 * and with the shutdown that {@link Lifecycle} wants. What the root module imports of `eyrie/logging`, `eyrie/lifecycle`
 * and `eyrie/health` is tied in; none of it has to be there.
 */
export async function createServer(
  root: Type | DynamicModule,
  settings: ServerSettings,
  { problemOf }: ServerOptions = {},
): Promise<NestFastifyApplication> {
  const isTrusted = trustOf(settings.trustProxy);
  const tied: { lifecycle?: Lifecycle } = {};
  const addHeaders = answerHeaders(() => tied.lifecycle?.state === 'draining');
  const adapter = new FastifyAdapter({
    bodyLimit: settings.bodyLimit,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    http: { headersTimeout: settings.headersTimeoutMs },
    trustProxy: isTrusted,
    requestIdHeader: false,
    genReqId: requestIds(isTrusted),
    clientErrorHandler: answerClientError,
    // What the router refuses, such as a malformed URL, passes no hook.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      addHeaders(request, reply);
      void reply.send(error);
    },
    // While it drains the server serves: whoever still has a connection gets an answer, and the hint to close it.
    return503OnClosing: false,
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance();
  fastify.server.maxConnections = settings.maxConnections;

  observeRequests(fastify);
  const log = requestLog(fastify, findIn(app, NestLogger)?.pino, { quiet: isQuiet });
  const spans = requestSpans({ quiet: isQuiet });
  // Within the span, or the lines of the request would not name it.
  adapter.setOnRequestHook(
    spans ? (request, reply, done) => spans(request, reply, () => log(request, reply, done)) : log,
  );
  acceptJsonOnly(fastify);
  if (settings.overloadDelayMs > 0) shedLoad(fastify, settings.overloadDelayMs, isQuiet);
  if (settings.handlerTimeoutMs > 0) limitHandlers(fastify, settings.handlerTimeoutMs);
  allowOrigins(app, settings.corsOrigins);
  app.useGlobalFilters(new ProblemFilter(adapter, { bodyLimit: settings.bodyLimit, problemOf }));

  fastify.addHook('onSend', (request, reply, payload, done) => {
    addHeaders(request, reply);
    done(null, payload);
  });
  sendTogether(fastify);
  tied.lifecycle = findIn(app, Lifecycle);
  findIn(app, HealthRegistry)?.follow(() => tied.lifecycle?.state ?? 'ready');
  const member = currentMember();
  if (tied.lifecycle) member?.serve(fastify.server, tied.lifecycle);
  closeConnections(fastify, {
    limitMs: settings.drainTimeoutMs,
    lifecycle: tied.lifecycle,
    graceMs: () => member?.lingerMs ?? 0,
  });
  return app;
}

/** A provider of the root module's tree, if it is there. Asking the app itself would log an error where it is not. */
function findIn<T>(app: NestFastifyApplication, token: Type<T>): T | undefined {
  const modules = [...app.get(ModulesContainer).values()];
  return modules.some(({ providers }) => providers.has(token)) ? app.get(token, { strict: false }) : undefined;
}

/** Everything but JSON is answered with 415, text/plain and forms included, which pages elsewhere could send unasked. */
function acceptJsonOnly(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const parse = (_request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void) => {
    let value: unknown;
    try {
      value = parseJsonBody(body);
    } catch (error) {
      return done(error as Error);
    }
    done(null, value);
  };
  for (const type of ['application/json', /^application\/[\w.+-]+\+json(;|$)/]) {
    fastify.addContentTypeParser(type, { parseAs: 'buffer' }, parse);
  }
}

function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['X-Request-ID', 'X-Process-Time', 'Retry-After'],
    maxAge: 600,
  });
}

type AddHeaders = (request: FastifyRequest, reply: FastifyReply) => void;

/** The headers of every answer: X-Request-ID, X-Process-Time in seconds, and Helmet's. */
function answerHeaders(isDraining: () => boolean): AddHeaders {
  const { pages, others } = securityHeaders();
  return (request, reply) => {
    const type = reply.getHeader('content-type');
    const isPage = typeof type === 'string' && type.startsWith('text/html');
    for (const [name, value] of isPage ? pages : others) reply.header(name, value);
    reply.header('x-request-id', request.id);
    reply.header('x-process-time', (reply.elapsedTime / 1000).toFixed(6));
    if (isDraining()) reply.header('connection', 'close');
  };
}
