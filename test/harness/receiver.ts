import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A message as it came. */
export interface ReceivedMessage {
  headers: IncomingHttpHeaders;
  path: string;
  body: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A webhook endpoint that keeps what it was told, and answers as the spec wants. */
export class Receiver {
  readonly received: ReceivedMessage[] = [];
  /** The answers to the next messages, in this order. */
  readonly replies: Reply[] = [];
  /** The status of all answers after those. */
  status = 200;
  url = '';
  private readonly server = createServer((request, response) => {
    void text(request).then((body) => {
      this.received.push({ headers: request.headers, path: request.url ?? '', body });
      const reply = this.replies.shift() ?? { status: this.status };
      response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });

  private constructor() {}

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
    receiver.url = `http://127.0.0.1:${(receiver.server.address() as AddressInfo).port}`;
    return receiver;
  }

  /** As it was started. */
  reset(): void {
    this.received.length = 0;
    this.replies.length = 0;
    this.status = 200;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
