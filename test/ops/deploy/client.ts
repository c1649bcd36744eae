import * as http from 'node:http';
import * as https from 'node:https';

/** Where the product answers, and with which keys. */
export interface Access {
  /** Such as `https://127.0.0.1:18443`. */
  url: string;
  /** The name for which the certificate was made. */
  serverName?: string;
  ca?: string;
  ingestKey: string;
  /** May read and comment. */
  operatorKey: string;
}

export interface Ask {
  method: 'GET' | 'POST';
  path: string;
  key: string;
  body?: unknown;
}

export interface Answer {
  status: number;
  body: string;
}

/** Connections that are kept, as those of any busy client. It never sends a request twice: what fails has failed. */
export class Client {
  readonly #access: Access;
  readonly #limitMs: number;
  readonly #protocol: typeof https | typeof http;
  readonly #agent: http.Agent;

  constructor(access: Access, { connections = 48, limitMs = 15_000 } = {}) {
    this.#access = access;
    this.#limitMs = limitMs;
    this.#protocol = access.url.startsWith('https:') ? https : http;
    const tls = { ca: access.ca, servername: access.serverName };
    this.#agent = new this.#protocol.Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo', ...tls });
  }

  /** @throws Error when no whole answer comes within the limit */
  send({ method, path, key, body }: Ask): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(this.#access.serverName && { host: this.#access.serverName }),
      authorization: `Bearer ${key}`,
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(this.#limitMs);
      const failed = (error: Error) => reject(signal.aborted ? new Error(`no answer in ${this.#limitMs} ms`) : error);
      const options = { method, headers, agent: this.#agent, signal };
      const sending = this.#protocol.request(new URL(path, this.#access.url), options, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: received }));
        response.on('error', failed);
      });
      sending.on('error', failed);
      sending.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
