import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** One keep-alive connection with one request in flight: the least that a client can cost. Reconnects when closed. */
export class Connection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #settle: ((result: number | Error) => void) | undefined;

  constructor({ host, port }: { host: string; port: number }) {
    this.#host = host;
    this.#port = port;
  }

  get idle(): boolean {
    return this.#settle === undefined;
  }

  /** Sends a whole request and returns the response's status; 0 if the connection failed. */
  send(request: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#settle = (result) => {
        this.#settle = undefined;
        resolve(typeof result === 'number' ? result : 0);
      };
      this.#socket ??= this.#open();
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    const lost = (error: Error) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#settle?.(error);
    };
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', lost);
    socket.on('close', () => lost(new Error('closed')));
    return socket;
  }

  #take(chunk: Buffer): void {
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const status = statusOfWhole(received);
    this.#received = status === undefined ? received : Buffer.alloc(0);
    if (status !== undefined) this.#settle?.(status);
  }
}

/** The status of a response that has arrived completely, else undefined. */
function statusOfWhole(received: Buffer): number | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const length = /\ncontent-length: *(\d+)/i.exec(head);
  if (length) return received.length >= headEnd + HEAD_END.length + Number(length[1]) ? status : undefined;
  if (/\ntransfer-encoding: *chunked/i.test(head)) {
    return received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) ? status : undefined;
  }
  return status;
}
