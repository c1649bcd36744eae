import { createServer } from 'node:http';
import { listenOnLoopback } from './listen.ts';

/** A scrape target with one gauge, which the test sets. */
export class MetricSource {
  value = 0;
  readonly #server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(`# TYPE queue_stalled gauge\nqueue_stalled ${this.value}\n`);
  });

  listen(): Promise<number> {
    return listenOnLoopback(this.#server);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
