import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isTracing } from './running.js';

export interface TraceRequestsOptions {
  /** Routes whose requests are not traced, by their template: probes and scrapes, unless told. */
  quiet?: (route: string) => boolean;
}

const probeOrScrape = /^(\/monitoring)?\/(health|metrics)(\/|$)/;

/** The status nginx gives to requests whose client went away before the answer; the access log has it too. */
const clientClosedRequest = 499;

const tracer = trace.getTracer('eyrie');

type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** Adds {@link requestSpans} to a server: before other hooks are added, so that they run inside of the spans. */
export function traceRequests(fastify: FastifyInstance, options?: TraceRequestsOptions): void {
  const hook = requestSpans(options);
  if (hook) fastify.addHook('onRequest', hook);
}

/**
 * The hook that gives each request the span in which all else happens: named by method and route template, below the
 * caller's `traceparent` if there is one. Without tracing there is none.
 */
export function requestSpans({ quiet = (route) => probeOrScrape.test(route) }: TraceRequestsOptions = {}):
  OnRequest | undefined {
  if (!isTracing()) return undefined;
  return (request, reply, done) => {
    const route = request.routeOptions.url;
    if (route !== undefined && quiet(route)) return done();
    const { headers } = request;
    const parent = headers.traceparent ? propagation.extract(ROOT_CONTEXT, headers) : ROOT_CONTEXT;
    const name = route === undefined ? request.method : `${request.method} ${route}`;
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
    // Most are not, and then there is nothing to be said of them.
    if (span.isRecording()) record(span, request, reply);
    context.with(trace.setSpan(parent, span), done);
  };
}

function record(span: Span, request: FastifyRequest, reply: FastifyReply): void {
  const { hostname, port } = request;
  // No query: it may hold what a client should not have put there. The access log has it, redacted, under the trace id.
  span.setAttributes({
    'http.request.method': request.method,
    'http.route': request.routeOptions.url,
    'url.scheme': request.protocol,
    'url.path': request.url.split('?', 1)[0],
    'server.address': hostname,
    'server.port': port ?? undefined,
    'client.address': request.ip,
    'network.protocol.version': request.raw.httpVersion,
    'user_agent.original': request.headers['user-agent'],
    request_id: request.id,
  });
  // "close" and not Fastify's onResponse, which never comes for a client that went away.
  reply.raw.once('close', () => {
    const status = reply.raw.writableFinished ? reply.statusCode : clientClosedRequest;
    span.setAttribute('http.response.status_code', status);
    if (status >= 500 || status === clientClosedRequest) {
      span.setAttribute('error.type', String(status));
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  });
}
