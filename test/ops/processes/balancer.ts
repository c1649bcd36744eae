import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_MS = 200;
/** Longer than any client leaves a connection idle: one that closes just as a request comes would reset it. */
const KEEP_ALIVE_MS = 75_000;

interface Backend {
  url: string;
  isReady: boolean;
}

/**
 * The least that balances: asks each backend whether it is ready, forwards to those that are in turn, on connections that
 * it keeps, and never sends a request a second time. What it cannot forward is a 502.
 */
export class Balancer {
  readonly #backends: Backend[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
  readonly #server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, response) =>
    this.#forward(incoming, response),
  );
  readonly #stopped = new AbortController();
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.#backends = urls.map((url) => ({ url, isReady: true }));
    for (const backend of this.#backends) void this.#probe(backend);
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  isReady(url: string): boolean {
    return this.#backends.some((backend) => backend.url === url && backend.isReady);
  }

  close(): void {
    this.#stopped.abort();
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #probe(backend: Backend): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const signal = AbortSignal.timeout(2_000);
      backend.isReady = await fetch(`${backend.url}/health/ready`, { signal, headers: { connection: 'close' } }).then(
        async (answer) => {
          await answer.arrayBuffer();
          return answer.ok;
        },
        () => false,
      );
      await sleep(PROBE_MS, undefined, { signal: this.#stopped.signal }).catch(() => {});
    }
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const ready = this.#backends.filter(({ isReady }) => isReady);
    const backend = ready[this.#turn++ % ready.length];
    const fail = (reason: string) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'x-reason': reason }).end();
    };
    if (!backend) return fail('no backend is ready');
    const { method, headers } = incoming;
    const forwarded = request(
      backend.url + incoming.url,
      { method, headers: { ...headers, connection: 'keep-alive' }, agent: this.#agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'keep-alive' });
        answer.on('error', () => response.destroy());
        answer.pipe(response);
      },
    );
    forwarded.on('error', (error) => fail(error.message));
    incoming.pipe(forwarded);
  }
}
