import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readDelivery } from './delivery.ts';
import type { Delivery } from './facts.ts';
import type { Random } from './random.ts';

/** A request that has arrived whole and is not answered yet. */
export interface Held {
  remotePort: number;
  localPort: number;
  /** Lets the receiver go on with its answer. */
  release: () => void;
}

/** A webhook endpoint that records every request, and answers some of them badly until it is told to be calm. */
export class Receiver {
  readonly deliveries: Delivery[] = [];
  readonly faults: Record<string, number> = {};
  /** True: everything is answered with 200 from now on. */
  calm = false;
  readonly #random: Random;
  readonly #server: Server;
  #waiting: ((held: Held) => void) | undefined;

  constructor(random: Random) {
    this.#random = random;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#take(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The next request, held back: its sender has sent and cannot have marked. Undefined if none comes in time. */
  holdNext(limitMs: number): Promise<Held | undefined> {
    return new Promise((resolve) => {
      const settle = (held?: Held) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(held);
      };
      const timer = setTimeout(settle, limitMs);
      this.#waiting = settle;
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const delivery = await readDelivery(request);
    this.deliveries.push(delivery);
    if (this.#waiting) await this.#hold(request, this.#waiting);
    else if (!this.calm && this.#misbehave(request, response)) return;
    response.once('finish', () => (delivery.deliveredAt = Date.now()));
    response.writeHead(200, { 'content-length': 0 }).end();
  }

  #hold(request: IncomingMessage, waiting: (held: Held) => void): Promise<void> {
    const { remotePort = 0, localPort = 0 } = request.socket;
    return new Promise((release) => waiting({ remotePort, localPort, release }));
  }

  /** One request in ten meets a fault. Returns whether it did. */
  #misbehave(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#random.chance(0.1)) return false;
    const fault = this.#random.pick(['500', '429', 'reset', 'hang']);
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    if (fault === '500') response.writeHead(500).end('out of order');
    else if (fault === '429') response.writeHead(429, { 'retry-after': '1' }).end();
    else if (fault === 'reset') request.socket.resetAndDestroy();
    // Whoever hangs never answers: the sender's own limit must end it.
    return true;
  }
}
