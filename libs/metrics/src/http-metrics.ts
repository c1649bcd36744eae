import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { isCollecting } from './collecting.js';
import { counter } from './counter.js';
import { activeSpan } from './exemplar.js';
import { gauge } from './gauge.js';
import { histogram } from './histogram.js';

const requests = counter({
  name: 'http_requests_total',
  help: 'Requests answered, or given up by their client (499), by route template.',
  labels: ['method', 'endpoint', 'status_code'],
});

const durations = histogram({
  name: 'http_request_duration_seconds',
  help: 'Time from the first header of a request to the last byte of its answer, by route template.',
  labels: ['method', 'endpoint'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

let active = 0;
gauge({ name: 'http_requests_active', help: 'Requests that are being answered.' }).collectFrom(() => active);

/** The endpoint of whatever matches no route, and the method of whatever is not one of these: scanners add no series. */
const unknown = 'unknown';
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The status nginx gives to requests whose client went away before the answer. */
const clientClosedRequest = 499;
const switchingProtocols = 101;

/** Where a response keeps its observation: a WeakMap of all of them would cost every garbage collection. */
const observation = Symbol('observation');
type Observed = ServerResponse & { [observation]?: Observation };

export interface ObserveOptions {
  /** Routes that are not counted, by their template. */
  quiet?: (route: string) => boolean;
}

/**
 * Counts and times the requests of a server. Call it before other hooks are added, so that what they refuse is counted
 * under its route. What Fastify refuses before any hook, such as a malformed URL, is counted too.
 */
export function observeRequests(fastify: FastifyInstance, { quiet = () => false }: ObserveOptions = {}): void {
  const begin = (request: IncomingMessage, response: Observed): Observation =>
    (response[observation] = new Observation(request, response));
  // Before Fastify's own listener, which was there first.
  fastify.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isCollecting()) begin(request, response);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    // Injected requests never pass the server, upgrades pass it as another event.
    const response: Observed = reply.raw;
    const observed = response[observation] ?? (isCollecting() ? begin(request.raw, response) : undefined);
    const route = request.routeOptions.url;
    if (observed && route !== undefined) {
      if (quiet(route)) observed.drop();
      else observed.endpoint = route;
    }
    done();
  });
}

/** One request, counted down exactly once, however it ends. */
class Observation {
  endpoint = unknown;
  private open = true;
  private readonly began = performance.now();
  /** Taken now: where its answer ends, another span, or none, may be active. */
  private readonly span: Span | undefined = activeSpan();

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    active += 1;
    const end = () => this.end();
    response.on('close', end);
    // Whoever takes over the connection leaves the response behind, which then may never close.
    if (request.headers.upgrade !== undefined) request.socket.once('close', end);
  }

  /** Not counted after all. */
  drop(): void {
    if (!this.open) return;
    this.open = false;
    active -= 1;
  }

  private end(): void {
    if (!this.open) return;
    this.drop();
    const { request, response, endpoint } = this;
    const method = methods.has(request.method ?? '') ? String(request.method) : unknown;
    const upgraded = !response.headersSent && request.headers.upgrade !== undefined;
    const answered = upgraded ? switchingProtocols : response.statusCode;
    const status = response.writableFinished || upgraded ? answered : clientClosedRequest;
    requests.inc({ method, endpoint, status_code: status });
    // How long a WebSocket stays open says nothing of how fast requests are answered.
    if (!upgraded) durations.observeIn(this.span, { method, endpoint }, (performance.now() - this.began) / 1000);
  }
}
