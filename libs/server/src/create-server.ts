import type { Socket } from 'node:net';
import type { DynamicModule, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { NestLogger, requestLog } from 'eyrie/logging';
import { answerClientError } from './client-errors.js';
import { parseJsonBody } from './json-body.js';
import { OverloadWatch } from './overload.js';
import { Problem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { requestIds } from './request-id.js';
import { securityHeaders } from './security-headers.js';
import type { ServerSettings } from './server.config.js';
import { trustOf } from './trust.js';

/** Probes and scrapes: not logged, and answered even under overload. */
const quietPaths = ['/health', '/metrics', '/monitoring/health', '/monitoring/metrics'];

/**
 * A Nest application on Fastify with the limits, request ids, problems, security headers and access log of this product,
 * and with the shutdown that {@link Lifecycle} wants. What the root module imports of `eyrie/logging`, `eyrie/lifecycle`
 * and `eyrie/health` is tied in; none of it has to be there.
 */
export async function createServer(
  root: Type | DynamicModule,
  settings: ServerSettings,
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

  adapter.setOnRequestHook(requestLog(fastify, findIn(app, NestLogger)?.pino, { quiet: quietPaths }));
  acceptJsonOnly(fastify);
  if (settings.overloadDelayMs > 0) refuseUnderOverload(fastify, settings.overloadDelayMs);
  allowOrigins(app, settings.corsOrigins);
  app.useGlobalFilters(new ProblemFilter(adapter, settings));

  fastify.addHook('onSend', (request, reply, payload, done) => {
    addHeaders(request, reply);
    done(null, payload);
  });
  tied.lifecycle = findIn(app, Lifecycle);
  findIn(app, HealthRegistry)?.follow(() => tied.lifecycle?.state ?? 'ready');
  closeConnections(fastify, settings.drainTimeoutMs);
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

function refuseUnderOverload(fastify: FastifyInstance, limitMs: number): void {
  const watch = new OverloadWatch(limitMs);
  fastify.addHook('onClose', (_instance, done) => {
    watch.close();
    done();
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!watch.overloaded || quietPaths.some((path) => request.url.startsWith(path))) return done();
    done(new Problem(503, 'overloaded', 'The server is overloaded', { headers: { 'Retry-After': '1' } }));
  });
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

const sweepMs = 50;

/**
 * When the server closes, connections are closed as they fall idle, and after a time limit with whatever is still in
 * flight. Node by itself closes those idle at the beginning, then waits for the others as long as they like, and for
 * those that never sent anything, as load balancers open them in advance.
 */
function closeConnections(fastify: FastifyInstance, limitMs: number): void {
  const { server } = fastify;
  const connections = new Set<Socket>();
  let sweep: NodeJS.Timeout | undefined;
  let limit: NodeJS.Timeout | undefined;
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
  fastify.addHook('preClose', (done) => {
    // The first sweep comes later, so that what a client has just sent on a new connection is read before.
    sweep = setInterval(closeIdle, sweepMs);
    limit = setTimeout(() => server.closeAllConnections(), limitMs);
    done();
  });
  server.once('close', () => {
    clearInterval(sweep);
    clearTimeout(limit);
  });
}
