import { WebSocket } from 'ws';
import type { Access } from './client.ts';
import type { LiveSight } from './facts.ts';

interface Message {
  type: string;
  id?: string;
  heartbeatMs?: number;
  retryInMs?: number;
}

/** Where the server does not say when to come back. */
const RETRY_MS = 300;

/**
 * A client of live events as its protocol wants it: it remembers the last id that it was told, comes back whenever its
 * WebSocket ends, and goes on after that id.
 */
export class LiveClient implements LiveSight {
  readonly client: string;
  readonly seen: number[] = [];
  readonly refusals: string[] = [];
  since: number | undefined;
  resets = 0;
  connections = 0;
  readonly #access: Access;
  #last: string | undefined;
  #socket: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #retryInMs = RETRY_MS;
  #ended = false;

  constructor(client: string, access: Access) {
    this.client = client;
    this.#access = access;
  }

  connect(): void {
    const { url, serverName, ca, operatorKey } = this.#access;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, ['eyrie'], {
      ...(ca !== undefined && { ca, servername: serverName }),
      headers: { authorization: `Bearer ${operatorKey}`, ...(serverName && { host: serverName }) },
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
    this.#socket = socket;
    socket.on('open', () => {
      this.connections++;
      socket.send(JSON.stringify({ type: 'subscribe', ...(this.#last !== undefined && { after: this.#last }) }));
    });
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Message, socket));
    socket.on('error', (error) => this.refusals.push(error.message));
    socket.on('close', () => this.#comeBack());
  }

  /** The last id that it knows, of an event or of a heartbeat. */
  get knows(): number {
    return Number(this.#last ?? 0);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#socket?.terminate();
  }

  #take(message: Message, socket: WebSocket): void {
    if (message.id === undefined) return;
    if (message.type.includes('.')) this.seen.push(Number(message.id));
    if (message.type === 'hello') this.since ??= Number(message.id);
    if (message.type === 'reset') this.resets++;
    if (message.type === 'restart') this.#retryInMs = message.retryInMs ?? RETRY_MS;
    if (message.heartbeatMs !== undefined) this.#expectHeartbeats(socket, message.heartbeatMs);
    this.#last = message.id;
  }

  /** A connection on which nothing comes any more is given up, as its network may have gone without a word. */
  #expectHeartbeats(socket: WebSocket, everyMs: number): void {
    const giveUp = () => socket.terminate();
    const restart = () => {
      clearTimeout(this.#silence);
      if (this.#socket === socket && !this.#ended) this.#silence = setTimeout(giveUp, 2.5 * everyMs);
    };
    socket.on('message', restart);
    restart();
  }

  #comeBack(): void {
    clearTimeout(this.#silence);
    if (this.#ended) return;
    this.#retry = setTimeout(() => this.connect(), this.#retryInMs);
    this.#retryInMs = RETRY_MS;
  }
}
