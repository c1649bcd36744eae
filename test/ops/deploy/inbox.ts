import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readDelivery } from '../chaos/delivery.ts';
import type { Delivery } from '../chaos/facts.ts';

/** A webhook receiver that answers 200 at once and remembers what it was told. */
export class Inbox {
  readonly deliveries: Delivery[] = [];
  readonly #server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    this.#take(request).then(
      (delivery) => {
        response.once('finish', () => (delivery.deliveredAt = Date.now()));
        response.writeHead(200, { 'content-length': 0 }).end();
      },
      () => response.destroy(),
    );
  });

  /** @param host an address of this machine that the worker reaches */
  async listen(host: string): Promise<string> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, host, resolve));
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage): Promise<Delivery> {
    const delivery = await readDelivery(request);
    this.deliveries.push(delivery);
    return delivery;
  }
}
