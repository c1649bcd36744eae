import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { eventually } from './eventually.js';
import { decodeSpans, type ReceivedSpan } from './otlp/spans.js';

export type { ReceivedSpan } from './otlp/spans.js';

/** What the receiver does with a batch: takes it, answers with an error, or never answers. */
export type Behaviour = 'take' | 'refuse' | 'hang';

const grpcPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const httpPath = '/v1/traces';
/** https://grpc.io/docs/guides/status-codes/ */
const grpcStatus = { ok: '0', permissionDenied: '7' };

/**
 * A collector that speaks OTLP as OpenTelemetry's own does, over gRPC or over HTTP with protobuf, and keeps what it
 * got, decoded from the wire.
 *
 * @example
 * const collector = await OtlpReceiver.start('grpc');
 * spawn(program, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
 * const span = await collector.span('POST /api/v1/alerts');
 */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** The headers of each batch. */
  readonly headers: IncomingHttpHeaders[] = [];
  behaviour: Behaviour = 'take';
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(readonly protocol: 'grpc' | 'http') {
    if (protocol === 'grpc') {
      const server = createHttp2();
      server.on('stream', (stream, headers) => void this.#onStream(stream, headers).catch(() => stream.destroy()));
      this.#server = server;
    } else {
      this.#server = createHttp((request, response) => {
        void this.#onRequest(request, response).catch(() => response.destroy());
      });
    }
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Listens on a free port of the loopback address, or on the given one. */
  static async start(protocol: 'grpc' | 'http', port = 0): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(protocol);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The first span with this name, once it has come. */
  async span(name: string, limitMs = 10_000): Promise<ReceivedSpan> {
    return eventually(() => {
      const found = this.spans.find((span) => span.name === name);
      if (!found) throw new Error(`no span "${name}" among: ${this.spans.map((span) => span.name).join(', ')}`);
      return found;
    }, limitMs);
  }

  /** All that has come of one trace, in the order in which the spans began. */
  trace(traceId: string): ReceivedSpan[] {
    const spans = this.spans.filter((span) => span.traceId === traceId);
    return spans.sort((one, other) => Number(one.startedAt - other.startedAt));
  }

  /** Dies: connections break, new ones are refused. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  async #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    if (headers[':path'] !== grpcPath) throw new Error(`there is no ${headers[':path'] ?? ''}`);
    stream.on('error', () => undefined); // the client gave up
    const body = await buffer(stream);
    // A message is preceded by a flag for its compression and by its length.
    if (body.readUInt8(0) !== 0) throw new Error('compressed, which was not agreed upon');
    if (this.behaviour === 'hang') return;
    const taken = this.#take(headers, body.subarray(5, 5 + body.readUInt32BE(1)));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': taken ? grpcStatus.ok : grpcStatus.permissionDenied });
    });
    stream.end(taken ? Buffer.alloc(5) : undefined); // an empty message: no partial success to tell of
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const isExport = request.method === 'POST' && request.url === httpPath;
    if (!isExport || request.headers['content-type'] !== 'application/x-protobuf') {
      response.writeHead(404).end();
      return;
    }
    if (this.behaviour === 'hang') return;
    const status = this.#take(request.headers, body) ? 200 : 403;
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
  }

  #take(headers: IncomingHttpHeaders, batch: Buffer): boolean {
    if (this.behaviour === 'refuse') return false;
    this.headers.push(headers);
    this.spans.push(...decodeSpans(batch));
    return true;
  }
}
