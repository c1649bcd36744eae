import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';

/** A connection that is handed over, and what its client has sent already. */
export interface Upgraded {
  socket: Socket;
  head: Buffer;
}

interface Waiting extends Upgraded {
  response: ServerResponse;
  onError: () => void;
}

const bearer = 'bearer.';

/**
 * Sends requests for a WebSocket through the server like any other: guards, limits and logs are theirs, too, and a refusal is
 * an ordinary answer. The route that wants one {@link accept}s it. All other upgrades stay requests like any other, as HTTP
 * wants it of servers that do not know the protocol.
 *
 * Browsers cannot set headers here. They offer the subprotocol `bearer.<token>`, which is taken for the header
 * `Authorization`; a query parameter, which would be logged, is not.
 */
export class Upgrades {
  private readonly waiting = new WeakMap<IncomingMessage, Waiting>();

  attach(fastify: FastifyInstance): void {
    const server = fastify.server as Server & { shouldUpgradeCallback: (request: IncomingMessage) => boolean };
    server.shouldUpgradeCallback = ({ method, headers }) =>
      method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const response = new ServerResponse(request);
      const onError = () => socket.destroy();
      socket.on('error', onError);
      this.waiting.set(request, { socket, head, response, onError });
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once('finish', () => {
        // Not so after a hand-over: then the socket is no longer the answer's.
        if (response.socket === socket) socket.end();
        response.emit('close');
      });
      adoptToken(request);
      fastify.routing(request, response);
    });
  }

  /** Whether a request is for a WebSocket. */
  has(request: IncomingMessage): boolean {
    return this.waiting.has(request);
  }

  /** Hands the connection over. For the server the request is answered then, with 101. */
  accept(request: IncomingMessage): Upgraded {
    const { response, socket, head, onError } = this.waiting.get(request)!;
    this.waiting.delete(request);
    response.detachSocket(socket);
    socket.off('error', onError);
    // The real answer is written by who takes over; whoever waits for the end of this one shall not wait for ever.
    response.assignSocket(new Writable({ write: (_chunk, _encoding, done) => done() }) as Socket);
    response.statusCode = 101;
    response.end();
    return { socket, head };
  }
}

function adoptToken({ headers }: IncomingMessage): void {
  if (headers.authorization !== undefined) return;
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const token = offered.find((name) => name.startsWith(bearer))?.slice(bearer.length);
  if (token) headers.authorization = `Bearer ${token}`;
}
