import { request as httpRequest, type Agent as HttpAgent, type IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type Agent, request as httpsRequest } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Every value of a header, as it came: more than one if it came twice. */
  all: (name: string) => string[];
  body: string;
}

export interface Question {
  port: number;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Plain HTTP, which the site redirects. */
  plain?: boolean;
  /** What the TLS handshake names; `localhost` unless given. */
  servername?: string;
  agent?: Agent | HttpAgent;
  timeoutMs?: number;
}

/** Asks over HTTP/1.1, and takes any certificate. @throws Error with the system's code when there is no answer */
export function ask(question: Question): Promise<Answer> {
  const { port, path = '/', method = 'GET', headers, body, plain = false, servername = 'localhost', agent } = question;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, agent, timeout: question.timeoutMs ?? 30_000 };
    const sent = {
      Host: 'localhost',
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      ...headers,
    };
    const request = plain
      ? httpRequest({ ...options, headers: sent })
      : httpsRequest({ ...options, headers: sent, servername, rejectUnauthorized: false });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { rawHeaders } = response;
        const all = (name: string) =>
          rawHeaders.filter(
            (_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name.toLowerCase(),
          );
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          all,
          body: Buffer.concat(chunks).toString('latin1'),
        });
      });
    });
    request.end(body);
  });
}

/** The same over HTTP/2, as it was agreed upon in the handshake. */
export async function askHttp2(
  port: number,
  path: string,
  body?: Buffer,
): Promise<{ status: number; protocol: string | false | null; body: string }> {
  const session = connectHttp2(`https://localhost:${port}`, { rejectUnauthorized: false, host: '127.0.0.1' });
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({
        ':path': path,
        ...(body && { ':method': 'POST', 'content-length': body.length }),
      });
      const chunks: Buffer[] = [];
      let status = 0;
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const protocol = () => (session.socket as TLSSocket).alpnProtocol;
      stream.on('end', () => resolve({ status, protocol: protocol(), body: Buffer.concat(chunks).toString() }));
      // A refusal may come before all is sent, and then the rest is not wanted.
      stream.on('error', (error: Error) => (status === 0 ? reject(error) : undefined));
      stream.end(body);
    });
  } finally {
    session.close();
  }
}

/** Opens a WebSocket and returns its bare connection after the 101. */
export function openWebSocket(port: number, path = '/ws'): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = {
      Host: 'localhost',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path,
      servername: 'localhost',
      rejectUnauthorized: false,
      headers,
    });
    request.on('upgrade', (_response, socket) => resolve(socket)).on('error', reject);
    request.on('response', (response) => reject(new Error(`answered with ${response.statusCode}`)));
    request.end();
  });
}

/** What comes back for what is sent. */
export function exchange(socket: Duplex, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data: Buffer) => resolve(data.toString()));
    socket.once('close', () => reject(new Error('closed'))).once('error', reject);
    socket.write(text);
  });
}

/** The SHA-256 fingerprint of the certificate that is served to new connections. */
export function servedCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
  });
}
