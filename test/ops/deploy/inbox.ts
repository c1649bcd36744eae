import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertStatus, Delivery } from '../chaos/facts.ts';
import { ID_LABEL } from '../chaos/receiver.ts';

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
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { alerts } = JSON.parse(body.toString()) as {
      alerts: { status: AlertStatus; labels: Record<string, string> }[];
    };
    const delivery: Delivery = {
      at: Date.now(),
      key: String(request.headers['idempotency-key'] ?? ''),
      bodyHash: createHash('sha1').update(body).digest('hex'),
      alerts: alerts.map(({ status, labels }) => ({ id: labels[ID_LABEL] ?? 'without an id', status })),
    };
    this.deliveries.push(delivery);
    return delivery;
  }
}
