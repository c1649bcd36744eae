/**
 * The load client: a process of its own, driven by messages, the same for every side. It also receives the
 * webhooks, so that the time from a POST to its delivery is read from one clock.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  patchEnds,
  patchSerials,
  patchStarts,
  type PreparedRequest,
  prepareRequest,
  type PrepareOptions,
  type Target,
} from './alerts.ts';
import { Connection } from './connection.ts';
import type { ClientReply, ClientRequest, IngestOrder, IngestResult, LatencyOrder, LatencyResult } from './orders.ts';
import { percentile } from './statistics.ts';

const KNOWN_ALERTS = 10_000;
const LATENCY_DRAIN_MS = 5_000;

const bodies = new Map<string, PreparedRequest[]>();
/** Of the latency case: serial number → the time at which its POST was due. */
const awaited = new Map<number, number>();
const latencies: number[] = [];
/** Beyond the known alerts' numbers. */
let serial = 100_000_000_000;

/** Requests of one shape for one target, made once. Re-sent ones come from a fixed set; new ones are patched. */
function requestsFor(target: Target, batch: number, count: number, extraLabels = {}): PreparedRequest[] {
  const key = JSON.stringify([target, batch, count, extraLabels]);
  let prepared = bodies.get(key);
  if (!prepared) {
    const startsAt = new Date();
    prepared = [];
    for (let first = 0; first < count; first += batch) {
      const options: PrepareOptions = { first, count: Math.min(batch, count - first), startsAt, extraLabels };
      prepared.push(prepareRequest(target, options));
    }
    bodies.set(key, prepared);
  }
  return prepared;
}

/** Closed loop: each connection sends its next request when the last is answered, until the time is up. */
async function ingest({ target, batch, connections, seconds, fresh }: IngestOrder): Promise<IngestResult> {
  const prepared = requestsFor(target, batch, fresh ? batch * connections : KNOWN_ALERTS);
  const result: IngestResult = { alerts: 0, requests: 0, seconds: 0, failures: {} };
  const started = performance.now();
  // Without a time limit: each request once, to make the known alerts known.
  const deadline = seconds === undefined ? Infinity : started + seconds * 1_000;
  await Promise.all(
    Array.from({ length: connections }, async (_, own) => {
      const connection = new Connection(target);
      // Each connection has its share, so that no two ever patch the same request.
      const share = prepared.filter((_, index) => index % connections === own);
      for (let turn = 0; performance.now() < deadline; turn++) {
        if (seconds === undefined && turn >= share.length) break;
        const request = share[turn % share.length] as PreparedRequest;
        const now = new Date();
        if (fresh) {
          patchSerials(request, () => serial++);
          patchStarts(request, now);
        }
        patchEnds(request, now);
        const status = await connection.send(request.bytes);
        if (status >= 200 && status < 300) {
          result.requests += 1;
          result.alerts += request.alerts;
        } else {
          result.failures[status] = (result.failures[status] ?? 0) + 1;
          if (status === 0) await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      connection.close();
    }),
  );
  result.seconds = (performance.now() - started) / 1_000;
  return result;
}

/** Open loop: a POST is due at a fixed time whatever became of those before; latency counts from that time. */
async function latency({ target, rate, seconds }: LatencyOrder): Promise<LatencyResult> {
  const count = Math.round(rate * seconds);
  const pool: Connection[] = [];
  const free: { connection: Connection; request: PreparedRequest }[] = [];
  const failures: Record<number, number> = {};
  const answers: Promise<void>[] = [];
  awaited.clear();
  latencies.length = 0;

  const post = async (due: number) => {
    const slot = free.pop() ?? openSlot();
    const number = serial++;
    patchSerials(slot.request, () => number);
    patchStarts(slot.request, new Date());
    patchEnds(slot.request, new Date());
    awaited.set(number, due);
    const status = await slot.connection.send(slot.request.bytes);
    if (status < 200 || status >= 300) failures[status] = (failures[status] ?? 0) + 1;
    free.push(slot);
  };
  const openSlot = () => {
    const connection = new Connection(target);
    pool.push(connection);
    const options = { first: 0, count: 1, startsAt: new Date(), extraLabels: { bench: 'latency' } };
    return { connection, request: prepareRequest(target, options) };
  };

  const started = performance.now() + 50;
  for (let sent = 0; sent < count;) {
    const wait = started + (sent * 1_000) / rate - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    for (; sent < count && started + (sent * 1_000) / rate <= performance.now(); sent++) {
      answers.push(post(started + (sent * 1_000) / rate));
    }
  }
  await Promise.all(answers);
  const deadline = performance.now() + LATENCY_DRAIN_MS;
  while (awaited.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const connection of pool) connection.close();
  const missing = awaited.size;
  awaited.clear();
  return {
    sent: count,
    missing,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
    failures,
  };
}

/** Swallows every webhook; those of the latency case are timed at the end of their body. */
function receive(request: IncomingMessage, response: ServerResponse): void {
  const timed = request.url === '/latency';
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => timed && chunks.push(chunk));
  request.on('end', () => {
    const now = performance.now();
    response.writeHead(200, { 'Content-Length': 0 }).end();
    if (!timed) return;
    // Labels come before commonLabels too, so a serial may show twice: the first sight counts, the rest is unknown.
    for (const [, digits] of Buffer.concat(chunks)
      .toString('latin1')
      .matchAll(/"pod":"[a-z0-9-]*-(\d{12})"/g)) {
      const due = awaited.get(Number(digits));
      if (due === undefined) continue;
      awaited.delete(Number(digits));
      latencies.push(now - due);
    }
  });
}

const receiver = createServer({ keepAliveTimeout: 60_000 }, receive);
receiver.listen(0, '127.0.0.1', () => {
  tell({ ready: { receiverPort: (receiver.address() as AddressInfo).port } });
});

process.on('message', (request: ClientRequest) => {
  const work = request.kind === 'ingest' ? ingest(request.order) : latency(request.order);
  work.then(
    (result) => tell({ id: request.id, result }),
    (error: unknown) => tell({ id: request.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

function tell(reply: ClientReply): void {
  process.send?.(reply);
}
