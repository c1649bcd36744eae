import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';
import { describeNotification, notification } from './notification.js';
import type { Screen } from './screen.js';

const BODY_LIMIT = 5 * 2 ** 20;

/** A webhook receiver on loopback that shows every notification as it arrives: the far end of the local product. */
export class LocalReceiver {
  private constructor(private readonly server: Server) {}

  static async start(port: number, screen: Screen): Promise<LocalReceiver> {
    const server = createServer((request, response) => {
      void answer(request, screen).then((status) => response.writeHead(status).end());
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return new LocalReceiver(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

async function answer(request: IncomingMessage, screen: Screen): Promise<number> {
  const arrived = new Date();
  try {
    screen.show(describeNotification(notification.parse(JSON.parse(await textOf(request))), arrived));
    return 204;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    screen.complain(`The local receiver was sent something that is no notification: ${why}`);
    return 400;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if ((size += chunk.length) > BODY_LIMIT) throw new Error(`the body is larger than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
