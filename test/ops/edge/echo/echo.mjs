/** Stands in for a replica of the api: tells what reached it, and does as the query says. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the api says itself too, so that it shows whether something comes twice. */
const own = {
  'Strict-Transport-Security': 'max-age=1',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'origin',
  'Content-Security-Policy': "default-src 'self'",
  'Cross-Origin-Resource-Policy': 'same-site',
  'Cache-Control': 'private',
};

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://replica');
  const number = (name, fallback = 0) => Number(searchParams.get(name) ?? fallback);
  const received = Buffer.concat(await request.toArray()).length;
  await sleep(number('delay'));
  const status = number('status', 200);
  const body = JSON.stringify({
    replica: hostname(),
    slot: process.env.SLOT,
    method: request.method,
    url: request.url,
    headers: request.headers,
    received,
    filling: 'x'.repeat(number('size')),
  });
  response.writeHead(status, {
    ...own,
    'Content-Type': searchParams.get('type') ?? 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-ID': request.headers['x-request-id'],
    ...(status === 503 && { 'Retry-After': '7' }),
  });
  response.end(body);
});

/** What is sent over a WebSocket comes back as it is. */
server.on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
  socket.on('error', () => {}).pipe(socket);
});

// As the api: it outlasts what the proxy keeps open, and when it is stopped it serves on for a while before it closes.
server.keepAliveTimeout = 72_000;
server.listen(3000);
process.once('SIGTERM', () => setTimeout(() => server.close(() => process.exit(0)), Number(process.env.DRAIN_MS)));
