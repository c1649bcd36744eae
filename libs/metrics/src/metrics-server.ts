import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentTypes, type Format, negotiate } from './exposition.js';

/** Where metrics are served. */
export const metricsPaths: readonly string[] = ['metrics', 'monitoring/metrics'];

const closeLimitMs = 1_000;

/** A small HTTP server for scrapes on a port of its own. */
export class MetricsServer {
  private readonly server: Server;

  private constructor(private readonly scrape: (format: Format) => Promise<string>) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  /** @throws naming METRICS_PORT, where the port is taken or may not be opened */
  static async listen(
    { host, port }: { host: string; port: number },
    scrape: (format: Format) => Promise<string>,
  ): Promise<MetricsServer> {
    const metrics = new MetricsServer(scrape);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    metrics.server.once('error', reject).listen(port, host, resolve);
    try {
      await promise;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'something else listens there' : message;
      throw new Error(`metrics cannot be served on ${host}:${port} (METRICS_HOST, METRICS_PORT): ${why}`, {
        cause: error,
      });
    }
    metrics.server.removeListener('error', reject);
    return metrics;
  }

  /** The one that is open, where port 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends scrapes in hand, within a second. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    this.server.closeIdleConnections();
    const timer = setTimeout(() => this.server.closeAllConnections(), closeLimitMs);
    await promise;
    clearTimeout(timer);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '').slice(1);
    if (!metricsPaths.includes(path)) return end(response, 404, 'Metrics are at /metrics.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return end(response, 405, 'Metrics can only be read.\n');
    }
    const format = negotiate(request.headers.accept);
    try {
      const text = await this.scrape(format);
      response.setHeader('Content-Type', contentTypes[format]);
      end(response, 200, text);
    } catch (error) {
      end(response, 503, `${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(status).end(text);
}
